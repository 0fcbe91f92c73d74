namespace Gradus.Text.Data.Pii;

/// <summary>Kinds of private data that have a form.</summary>
public enum PiiKind
{
    /// <summary>An e-mail address.</summary>
    Email,

    /// <summary>A telephone number.</summary>
    Phone,

    /// <summary>An IPv4 or IPv6 address.</summary>
    Ip,

    /// <summary>The number of a payment card.</summary>
    Card,

    /// <summary>An international bank account number.</summary>
    Iban,

    /// <summary>A key, token or password for a machine.</summary>
    Key,
}

/// <summary>Private data in a text.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Start">First byte.</param>
/// <param name="Length">Bytes.</param>
public readonly record struct PiiMatch(PiiKind Kind, int Start, int Length);
