namespace Gradus.Text.Tokenizers;

/// <summary>What Unicode's form NFC may do to a character.</summary>
internal enum FormC : byte
{
    /// <summary>Stays, moves nowhere and joins nothing before it.</summary>
    Plain,

    /// <summary>A mark that is sorted among others but joins none.</summary>
    Mark,

    /// <summary>May become one with a character before it.</summary>
    Joins,

    /// <summary>Becomes something else wherever it stands.</summary>
    Never,
}
