namespace Gradus.Text.Tokenizers;

/// <summary>What a character does to the grapheme cluster it stands in: the letters of the section <c>grapheme</c> in <c>unicode.gz</c>.</summary>
[Flags]
internal enum ClusterClass : byte
{
    None = 0,

    /// <summary>j: belongs to what is before it.</summary>
    Joins = 1,

    /// <summary>p: belongs to what is behind it.</summary>
    Prepended = 2,

    /// <summary>c: stands alone.</summary>
    Control = 4,

    /// <summary>e: may stand between a pictograph and the joiner behind it.</summary>
    Extends = 8,

    /// <summary>x: a pictograph, which a joiner binds to another.</summary>
    Picture = 16,

    /// <summary>k: a consonant that a linker binds to the next.</summary>
    Consonant = 32,

    /// <summary>l: such a linker.</summary>
    Linker = 64,

    /// <summary>i: may stand among the linkers of a conjunct.</summary>
    InConjunct = 128,
}
