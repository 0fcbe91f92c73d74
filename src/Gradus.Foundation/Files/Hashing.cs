using System.Security.Cryptography;

namespace Gradus.Foundation.Files;

/// <summary>Content hashes: SHA-256 (lower-case hex) for integrity, FNV-1a for small deterministic keys.</summary>
public static class Hashing
{
    /// <summary>SHA-256 of a file's bytes, 64 lower-case hex digits.</summary>
    public static string Sha256File(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.SequentialScan);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>SHA-256 of bytes, 64 lower-case hex digits.</summary>
    public static string Sha256(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>FNV-1a, 64 bits. The same on every machine and in every process, unlike <see cref="string.GetHashCode()"/>. Not for untrusted keys.</summary>
    public static ulong Fnv1a64(ReadOnlySpan<byte> bytes)
    {
        var hash = 14695981039346656037UL;
        foreach (var b in bytes)
            hash = unchecked((hash ^ b) * 1099511628211UL);
        return hash;
    }
}
