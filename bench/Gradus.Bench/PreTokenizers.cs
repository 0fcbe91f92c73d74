using System.Text;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using Gradus.Text.Tokenizers;

namespace Gradus.Bench;

/// <summary>The hand-written scanners of published pre-tokenisation patterns against the same patterns in .NET's regular expressions, over English-like text.</summary>
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory), CategoriesColumn]
public class PreTokenizers
{
    private readonly byte[] _text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("It was the best of times, it was the worst of times; we'd 1,024 reasons – naïve ones – to go  on.\n", 4000)));
    private readonly List<Piece> _pieces = [];
    private readonly Splitter _gpt2 = Gpt2Splitter.Instance, _gpt2Regex = RegexSplitter.Make(Gpt2Splitter.Published, "bench");

    [BenchmarkCategory("gpt2"), Benchmark(Baseline = true)] public int Gpt2Regex() => Split(_gpt2Regex);
    [BenchmarkCategory("gpt2"), Benchmark] public int Gpt2() => Split(_gpt2);

    private int Split(Splitter splitter)
    {
        _pieces.Clear();
        splitter.SplitAll(_text, _pieces);
        return _pieces.Count;
    }
}
