using System.Buffers;
using System.Globalization;
using System.Text;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Pii;

namespace Gradus.Text.Data.Steps;

/// <summary>What becomes of private data.</summary>
public enum PiiAction
{
    /// <summary>Each piece is replaced by a word for its kind.</summary>
    Redact,

    /// <summary>The document goes.</summary>
    Drop,

    /// <summary>Nothing, but it is counted.</summary>
    Count,
}

/// <summary>Finds private data by its form (e-mail, telephone, IP address, card, IBAN, keys) and takes it out. What it found is counted, never shown.</summary>
[Component("pii")]
public sealed record PiiStep : LocalStep
{
    /// <summary>What to look for.</summary>
    public IReadOnlyList<PiiKind> Kinds { get; init; } = [PiiKind.Email, PiiKind.Phone, PiiKind.Ip, PiiKind.Card, PiiKind.Iban, PiiKind.Key];

    /// <summary>What becomes of it.</summary>
    public PiiAction Action { get; init; }

    /// <summary>What stands in its place; <c>{kind}</c> becomes EMAIL, PHONE, IP, CARD, IBAN or KEY.</summary>
    public string Replacement { get; init; } = "<{kind}>";

    /// <summary>With <c>action: drop</c>: how many pieces a document may have and stay.</summary>
    [AtLeast(0)]
    public int MaxMatches { get; init; }

    public override IDocumentStep Build() => new Step(this);

    private sealed class Step : IDocumentStep
    {
        private readonly PiiStep _options;
        private readonly bool[] _wanted = new bool[Enum.GetValues<PiiKind>().Length];
        private readonly byte[][] _replacements;
        private readonly List<PiiMatch> _matches = [];
        private readonly ArrayBufferWriter<byte> _out = new();

        public Step(PiiStep options)
        {
            _options = options;
            foreach (var kind in options.Kinds)
                _wanted[(int)kind] = true;
            _replacements = [.. Enum.GetValues<PiiKind>().Select(k => Encoding.UTF8.GetBytes(options.Replacement.Replace("{kind}", k.ToString().ToUpperInvariant(), StringComparison.Ordinal)))];
        }

        public void Apply(Draft draft)
        {
            // What stood beside something private may have been taken for a part of it: so until nothing is found.
            for (var round = 0; round < 8 && Once(draft); round++)
            {
            }
        }

        /// <summary>True when the text was changed.</summary>
        private bool Once(Draft draft)
        {
            var text = draft.Text;
            PiiScanner.Find(text, _matches, _wanted);
            if (_matches.Count == 0)
                return false;
            if (_options.Action == PiiAction.Drop)
            {
                if (_matches.Count > _options.MaxMatches)
                    draft.Drop(_matches[0].Kind.ToString().ToLowerInvariant(), _matches.Count.ToString(CultureInfo.InvariantCulture));
                return false;
            }

            Span<long> counts = stackalloc long[_wanted.Length];
            counts.Clear();
            _out.ResetWrittenCount();
            var at = 0;
            foreach (var match in _matches)
            {
                counts[(int)match.Kind]++;
                _out.Write(text[at..match.Start]);
                _out.Write(_replacements[(int)match.Kind]);
                at = match.Start + match.Length;
            }

            _out.Write(text[at..]);
            for (var kind = 0; kind < counts.Length; kind++)
                draft.CountEdits(((PiiKind)kind).ToString().ToLowerInvariant(), counts[kind]);
            if (_options.Action == PiiAction.Count)
                return false;
            if (_out.WrittenCount == 0)
            {
                draft.Drop("nothing-left");
                return false;
            }

            draft.Replace(_out.WrittenSpan);
            return true;
        }
    }
}
