using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Gradus.Text.Data;

/// <summary>Writes one shard folder, document by document. Hashes are taken on the way; the caller makes the folder durable.</summary>
internal sealed class TokenShardWriter : IDisposable
{
    private readonly string _folder;
    private readonly int _width;
    private readonly int _vocabSize;
    private readonly int? _endOfText;
    private readonly long _tokensPerShard;
    private readonly List<TokenFile> _shards = [];
    private readonly HashedFile _offsets;
    private HashedFile? _shard;
    private long _tokens, _documents, _textBytes, _leftInShard;

    public TokenShardWriter(string folder, int vocabSize, int? endOfText, long tokensPerShard)
    {
        Directory.CreateDirectory(folder);
        (_folder, _vocabSize, _endOfText, _tokensPerShard) = (folder, vocabSize, endOfText, tokensPerShard);
        _width = vocabSize <= 1 << 16 ? 2 : 4;
        _offsets = new HashedFile(folder, TokenShards.OffsetsName);
        WriteOffset();
    }

    public long Tokens => _tokens;

    public long Documents => _documents;

    /// <summary>Adds a document; the end-of-text is appended here.</summary>
    public void Add(ReadOnlySpan<int> ids, long textBytes)
    {
        foreach (var id in ids)
            if ((uint)id >= (uint)_vocabSize)
                throw new ArgumentOutOfRangeException(nameof(ids), id, $"The tokenizer made an id outside its vocabulary of {_vocabSize}.");
        Write(ids);
        if (_endOfText is { } end)
            Write([end]);
        _documents++;
        _textBytes += textBytes;
        WriteOffset();
    }

    /// <summary>Closes the files and writes the manifest.</summary>
    public TokenManifest Finish(string tokenizerHash, DataSplit split)
    {
        CloseShard();
        var manifest = new TokenManifest
        {
            Version = TokenManifest.CurrentVersion,
            Tokenizer = tokenizerHash,
            VocabSize = _vocabSize,
            Dtype = _width == 2 ? "u16" : "u32",
            EndOfText = _endOfText,
            Split = split.ToString().ToLowerInvariant(),
            Documents = _documents,
            Tokens = _tokens,
            TextBytes = _textBytes,
            TokensPerShard = _tokensPerShard,
            Offsets = _offsets.Close(),
            Shards = _shards,
        };
        manifest.Write(_folder);
        return manifest;
    }

    public void Dispose()
    {
        _offsets.Dispose();
        _shard?.Dispose();
    }

    private void Write(ReadOnlySpan<int> ids)
    {
        Span<byte> buffer = stackalloc byte[4096];
        while (ids.Length > 0)
        {
            if (_leftInShard == 0)
            {
                CloseShard();
                _shard = new HashedFile(_folder, TokenManifest.ShardName(_shards.Count));
                _leftInShard = _tokensPerShard;
            }

            var n = (int)Math.Min(Math.Min(ids.Length, buffer.Length / _width), _leftInShard);
            for (var i = 0; i < n; i++)
            {
                if (_width == 2)
                    BinaryPrimitives.WriteUInt16LittleEndian(buffer[(2 * i)..], (ushort)ids[i]);
                else
                    BinaryPrimitives.WriteInt32LittleEndian(buffer[(4 * i)..], ids[i]);
            }

            _shard!.Write(buffer[..(n * _width)]);
            ids = ids[n..];
            _leftInShard -= n;
            _tokens += n;
        }
    }

    private void WriteOffset()
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, _tokens);
        _offsets.Write(bytes);
    }

    private void CloseShard()
    {
        if (_shard is not null)
            _shards.Add(_shard.Close());
        _shard = null;
    }

    private sealed class HashedFile(string folder, string name) : IDisposable
    {
        private readonly FileStream _file = new(System.IO.Path.Combine(folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public void Write(ReadOnlySpan<byte> bytes)
        {
            _file.Write(bytes);
            _hash.AppendData(bytes);
        }

        public TokenFile Close()
        {
            var file = new TokenFile { Name = name, Bytes = _file.Position, Sha256 = Convert.ToHexStringLower(_hash.GetHashAndReset()) };
            Dispose();
            return file;
        }

        public void Dispose()
        {
            _file.Dispose();
            _hash.Dispose();
        }
    }
}
