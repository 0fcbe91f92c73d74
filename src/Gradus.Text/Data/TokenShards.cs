using System.IO.MemoryMappedFiles;
using Gradus.Foundation.Files;

namespace Gradus.Text.Data;

/// <summary>A shard folder opened for reading: memory-mapped, so any part costs only the pages it touches.</summary>
public sealed unsafe class TokenShards : TokenStream
{
    internal const string OffsetsName = "documents.offsets";

    private readonly TokenManifest _manifest;
    private readonly List<Mapping> _shards = [];
    private readonly Mapping _offsets = null!;
    private bool _disposed;

    private TokenShards(string folder, TokenManifest manifest, bool verify)
    {
        (Folder, _manifest) = (folder, manifest);
        try
        {
            _offsets = Mapping.Open(folder, manifest.Offsets, verify);
            foreach (var shard in manifest.Shards)
                _shards.Add(Mapping.Open(folder, shard, verify));
            if (DocumentStart(0) != 0 || DocumentStart(Documents) != Tokens)
                throw new UserException($"{System.IO.Path.Combine(folder, OffsetsName)}: does not match the manifest. Prepare the data again.");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Folder { get; }

    public override long Tokens => _manifest.Tokens;
    public override long Documents => _manifest.Documents;
    public override long TextBytes => _manifest.TextBytes;
    public override int VocabSize => _manifest.VocabSize;
    public override int? EndOfText => _manifest.EndOfText;

    /// <summary>SHA-256 of the <c>tokenizer.json</c> that made the tokens.</summary>
    public string TokenizerHash => _manifest.Tokenizer;

    /// <summary>SHA-256 over the shards' own hashes: the identity of the data, for a run's record.</summary>
    public string ContentHash => Hashing.Sha256(System.Text.Encoding.ASCII.GetBytes(string.Join('\n', _manifest.Shards.Select(s => s.Sha256).Append(_manifest.Offsets.Sha256))));

    /// <summary>Opens a folder of shards.</summary>
    /// <param name="folder">Holds <c>manifest.json</c>.</param>
    /// <param name="verify">Compare every file with its SHA-256 once; sizes are always compared.</param>
    /// <exception cref="UserException">A file is missing, cut or changed.</exception>
    public static TokenShards Open(string folder, bool verify = true) => new(folder, TokenManifest.Read(folder), verify);

    public override void CopyTo(long start, Span<int> into)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (start < 0 || start > Tokens - into.Length)
            throw new ArgumentOutOfRangeException(nameof(start), start, $"Tokens {start} … {start + into.Length} are not all within 0 … {Tokens}.");
        while (into.Length > 0)
        {
            var (shard, at) = Math.DivRem(start, _manifest.TokensPerShard);
            var n = (int)Math.Min(into.Length, _manifest.TokensPerShard - at);
            if (_manifest.TokenBytes == 2)
            {
                var from = (ushort*)_shards[(int)shard].Pointer + at;
                for (var i = 0; i < n; i++)
                    into[i] = from[i];
            }
            else
            {
                new ReadOnlySpan<int>((int*)_shards[(int)shard].Pointer + at, n).CopyTo(into);
            }

            into = into[n..];
            start += n;
        }
    }

    public override long DocumentStart(long index)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(index, Documents);
        return ((long*)_offsets.Pointer)[index];
    }

    protected override void Dispose(bool disposing)
    {
        _disposed = true;
        _offsets?.Dispose();
        foreach (var shard in _shards)
            shard.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>One file in memory, read only, little-endian as written.</summary>
    private sealed class Mapping : IDisposable
    {
        private readonly MemoryMappedFile _file;
        private readonly MemoryMappedViewAccessor _view;

        private Mapping(FileStream stream)
        {
            _file = MemoryMappedFile.CreateFromFile(stream, mapName: null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            byte* pointer = null;
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
            Pointer = pointer + _view.PointerOffset;
        }

        public byte* Pointer { get; private set; }

        public static Mapping Open(string folder, TokenFile file, bool verify)
        {
            if (!BitConverter.IsLittleEndian)
                throw new PlatformNotSupportedException("Token shards are little-endian and mapped as they are.");
            var path = System.IO.Path.Combine(folder, file.Name);
            FileStream stream;
            try
            {
                stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new UserException($"{path}: the manifest names it, but it cannot be opened: {e.Message}", e);
            }

            try
            {
                if (stream.Length != file.Bytes)
                    throw new UserException($"{path}: has {stream.Length} bytes, the manifest says {file.Bytes}. It was cut or changed; prepare the data again.");
                if (verify && Hashing.Sha256File(path) != file.Sha256)
                    throw new UserException($"{path}: its SHA-256 is not the one in the manifest. It was changed or damaged; prepare the data again.");
                return new Mapping(stream);
            }
            catch
            {
                stream.Dispose();
                throw;
            }
        }

        public void Dispose()
        {
            if (Pointer is null)
                return;
            Pointer = null;
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
            _file.Dispose();
        }
    }
}
