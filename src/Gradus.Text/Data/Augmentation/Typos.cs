using System.Text;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Augmentation;

/// <summary>Typing errors in words: two letters swapped, one left out, doubled, or a neighbour on the keyboard.</summary>
[Component("typos")]
public sealed record Typos : TextAugmentation
{
    /// <summary>Share of the letters inside words at which an error is made.</summary>
    [Above(0)]
    [AtMost(1)]
    public double Rate { get; init; } = 0.02;

    public override ITextChange Build() => new Change(Rate);

    private sealed class Change(double rate) : ITextChange
    {
        private static readonly string[] s_rows = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];

        public string Apply(string text, Draws draws)
        {
            var built = new StringBuilder(text.Length + 8);
            for (var i = 0; i < text.Length; i++)
            {
                var c = text[i];
                // A word's first letter is seldom mistyped, and readers lean on it.
                if (!char.IsLetter(c) || i == 0 || !char.IsLetter(text[i - 1]) || draws.Unit() >= rate)
                {
                    built.Append(c);
                    continue;
                }

                switch (draws.Below(4))
                {
                    case 0 when i + 1 < text.Length && char.IsLetter(text[i + 1]):
                        built.Append(text[i + 1]).Append(c);
                        i++;
                        break;
                    case 1:
                        break;
                    case 2 when Neighbour(c, draws) is { } near:
                        built.Append(near);
                        break;
                    default:
                        built.Append(c).Append(c);
                        break;
                }
            }

            return built.ToString();
        }

        private static char? Neighbour(char c, Draws draws)
        {
            foreach (var row in s_rows)
            {
                var at = row.IndexOf(char.ToLowerInvariant(c), StringComparison.Ordinal);
                if (at < 0)
                    continue;
                var near = row[at == 0 ? 1 : at == row.Length - 1 ? at - 1 : at + (draws.Below(2) == 0 ? -1 : 1)];
                return char.IsUpper(c) ? char.ToUpperInvariant(near) : near;
            }

            return null;
        }
    }
}
