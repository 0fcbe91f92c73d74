namespace Gradus.Text.Data.Compression;

/// <summary>
/// DEFLATE (RFC 1951), decoding only. The base library has one too, but it treats a cut stream as a finished one and does not
/// say where the compressed data ended, so the checksum behind it cannot be found (see <see cref="GzipReadStream"/>).
/// </summary>
internal sealed class Inflate(ByteSource source)
{
    private const int WindowSize = 1 << 15;
    private const int FastBits = 10;

    private static readonly ushort[] s_lengthBase = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
    private static readonly byte[] s_lengthExtra = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
    private static readonly ushort[] s_distanceBase = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
    private static readonly byte[] s_distanceExtra = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
    private static readonly byte[] s_codeLengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    private enum At { BlockHeader, Stored, Codes, End }

    private readonly byte[] _window = new byte[WindowSize];
    private int _head;
    private long _produced; // bytes of this member so far: how far back a match may reach
    private ulong _bits;
    private int _bitCount;
    private At _at = At.BlockHeader;
    private bool _last;
    private int _stored;
    private Exception? _fault;
    private int _copyLength, _copyDistance; // the rest of a match that did not fit the caller's buffer
    private Huffman _literals = null!, _distances = null!;

    /// <summary>Starts a new member. The window of the member before may not be reached.</summary>
    public void Reset()
    {
        (_at, _last, _produced, _copyLength) = (At.BlockHeader, false, 0, 0);
    }

    /// <summary>Decodes into the buffer; 0 when the final block has ended.</summary>
    /// <exception cref="InvalidDataException">Damaged data.</exception>
    /// <exception cref="EndOfStreamException">The data stops before its end mark.</exception>
    public int Read(Span<byte> buffer)
    {
        // What was whole before damaged or missing data is handed out first; the fault comes with the next call.
        if (_fault is not null)
            throw _fault;
        var n = 0;
        try
        {
            Decode(buffer, ref n);
        }
        catch (Exception e) when (n > 0 && (e is EndOfStreamException or InvalidDataException))
        {
            _fault = e;
        }

        return n;
    }

    private void Decode(Span<byte> buffer, ref int n)
    {
        while (n < buffer.Length)
        {
            if (_copyLength > 0)
            {
                n += Copy(buffer[n..]);
                continue;
            }

            switch (_at)
            {
                case At.End:
                    return;
                case At.BlockHeader:
                    if (_last)
                    {
                        GiveBackWholeBytes();
                        _at = At.End;
                    }
                    else
                    {
                        ReadBlockHeader();
                    }

                    break;
                case At.Stored:
                    if (_stored == 0)
                    {
                        _at = At.BlockHeader;
                        break;
                    }

                    Emit(buffer, ref n, (byte)Bits(8));
                    _stored--;
                    break;
                default:
                    var symbol = _literals.Decode(this);
                    if (symbol < 256)
                        Emit(buffer, ref n, (byte)symbol);
                    else if (symbol == 256)
                        _at = At.BlockHeader;
                    else
                        BeginMatch(symbol - 257);
                    break;
            }
        }
    }

    private void BeginMatch(int code)
    {
        if (code >= s_lengthBase.Length)
            throw new InvalidDataException("an impossible length code");
        _copyLength = s_lengthBase[code] + (int)Bits(s_lengthExtra[code]);
        var d = _distances.Decode(this);
        if (d >= s_distanceBase.Length)
            throw new InvalidDataException("an impossible distance code");
        _copyDistance = s_distanceBase[d] + (int)Bits(s_distanceExtra[d]);
        if (_copyDistance > _produced)
            throw new InvalidDataException("a match that reaches before the start of the data");
    }

    private int Copy(Span<byte> buffer)
    {
        var count = Math.Min(_copyLength, buffer.Length);
        for (var i = 0; i < count; i++)
        {
            var b = _window[(_head - _copyDistance) & (WindowSize - 1)];
            _window[_head] = b;
            _head = (_head + 1) & (WindowSize - 1);
            buffer[i] = b;
        }

        _copyLength -= count;
        _produced += count;
        return count;
    }

    private void Emit(Span<byte> buffer, ref int n, byte b)
    {
        buffer[n++] = b;
        _window[_head] = b;
        _head = (_head + 1) & (WindowSize - 1);
        _produced++;
    }

    private void ReadBlockHeader()
    {
        _last = Bits(1) == 1;
        switch (Bits(2))
        {
            case 0:
                GiveBackWholeBytes();
                var length = Bits(16);
                if (Bits(16) != (~length & 0xFFFF))
                    throw new InvalidDataException("a stored block whose length does not match its check");
                _stored = (int)length;
                _at = At.Stored;
                break;
            case 1:
                (_literals, _distances) = (Huffman.FixedLiterals, Huffman.FixedDistances);
                _at = At.Codes;
                break;
            case 2:
                ReadDynamicCodes();
                _at = At.Codes;
                break;
            default:
                throw new InvalidDataException("an unknown block type");
        }
    }

    private void ReadDynamicCodes()
    {
        var literals = (int)Bits(5) + 257;
        var distances = (int)Bits(5) + 1;
        var codeLengths = (int)Bits(4) + 4;
        if (literals > 286 || distances > 30)
            throw new InvalidDataException("too many codes in a block");
        Span<byte> lengths = stackalloc byte[320];
        lengths.Clear();
        for (var i = 0; i < codeLengths; i++)
            lengths[s_codeLengthOrder[i]] = (byte)Bits(3);
        var code = new Huffman(lengths[..19]);
        lengths.Clear();
        for (var i = 0; i < literals + distances;)
        {
            var symbol = code.Decode(this);
            if (symbol < 16)
            {
                lengths[i++] = (byte)symbol;
                continue;
            }

            if (symbol == 16 && i == 0)
                throw new InvalidDataException("a repeated code length with nothing before it");
            var value = symbol == 16 ? lengths[i - 1] : (byte)0;
            var repeat = symbol switch { 16 => 3 + (int)Bits(2), 17 => 3 + (int)Bits(3), _ => 11 + (int)Bits(7) };
            if (i + repeat > literals + distances)
                throw new InvalidDataException("code lengths that overrun their table");
            lengths.Slice(i, repeat).Fill(value);
            i += repeat;
        }

        if (lengths[256] == 0)
            throw new InvalidDataException("a block without an end code");
        _literals = new Huffman(lengths[..literals]);
        _distances = new Huffman(lengths.Slice(literals, distances));
    }

    private uint Bits(int count)
    {
        Need(count);
        var value = (uint)(_bits & ((1UL << count) - 1));
        _bits >>= count;
        _bitCount -= count;
        return value;
    }

    private void Need(int count)
    {
        while (_bitCount < count)
        {
            var b = source.Next();
            if (b < 0)
                throw new EndOfStreamException();
            _bits |= (ulong)(uint)b << _bitCount;
            _bitCount += 8;
        }
    }

    /// <summary>Skips to a byte border. Bits are fetched a byte at a time and only when needed, so fewer than 8 can be left over.</summary>
    private void GiveBackWholeBytes()
    {
        _bits = 0;
        _bitCount = 0;
    }

    /// <summary>A canonical prefix code: a table of <see cref="FastBits"/> bits, and the counting method for longer codes.</summary>
    private sealed class Huffman
    {
        public static readonly Huffman FixedLiterals = new([.. Enumerable.Range(0, 288).Select(i => (byte)(i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8))]);
        public static readonly Huffman FixedDistances = new([.. Enumerable.Repeat((byte)5, 30)]);

        private readonly ushort[] _count = new ushort[16];
        private readonly ushort[] _symbols;
        private readonly ushort[] _fast = new ushort[1 << FastBits]; // symbol << 4 | length; 0 = longer than FastBits, or no code

        public Huffman(ReadOnlySpan<byte> lengths)
        {
            _symbols = new ushort[lengths.Length];
            foreach (var length in lengths)
                _count[length]++;
            _count[0] = 0;
            var left = 1;
            for (var length = 1; length < 16; length++)
            {
                left = (left << 1) - _count[length];
                if (left < 0)
                    throw new InvalidDataException("an over-full code");
            }

            Span<int> offset = stackalloc int[16];
            Span<int> next = stackalloc int[16];
            for (var length = 1; length < 15; length++)
            {
                offset[length + 1] = offset[length] + _count[length];
                next[length + 1] = (next[length] + _count[length]) << 1;
            }

            for (var symbol = 0; symbol < lengths.Length; symbol++)
            {
                var length = lengths[symbol];
                if (length == 0)
                    continue;
                _symbols[offset[length]++] = (ushort)symbol;
                var code = next[length]++;
                if (length > FastBits)
                    continue;
                var reversed = (int)(Reverse((uint)code) >> (32 - length));
                for (var i = reversed; i < _fast.Length; i += 1 << length)
                    _fast[i] = (ushort)((symbol << 4) | length);
            }
        }

        public int Decode(Inflate input)
        {
            // The table is tried with the bits already here, so that no byte beyond the code is ever fetched.
            while (true)
            {
                var entry = _fast[(int)input._bits & (_fast.Length - 1)];
                var length = entry & 15;
                if (length != 0 && length <= input._bitCount)
                {
                    input._bits >>= length;
                    input._bitCount -= length;
                    return entry >> 4;
                }

                if (input._bitCount >= FastBits)
                    return DecodeLong(input);
                input.Need(input._bitCount + 1);
            }
        }

        private int DecodeLong(Inflate input)
        {
            int code = 0, first = 0, index = 0;
            for (var length = 1; length < 16; length++)
            {
                input.Need(length);
                code |= (int)(input._bits >> (length - 1)) & 1;
                var count = _count[length];
                if (code - count < first)
                {
                    input._bits >>= length;
                    input._bitCount -= length;
                    return _symbols[index + (code - first)];
                }

                index += count;
                first = (first + count) << 1;
                code <<= 1;
            }

            throw new InvalidDataException("bits that are no code");
        }

        private static uint Reverse(uint v)
        {
            v = ((v >> 1) & 0x55555555) | ((v & 0x55555555) << 1);
            v = ((v >> 2) & 0x33333333) | ((v & 0x33333333) << 2);
            v = ((v >> 4) & 0x0F0F0F0F) | ((v & 0x0F0F0F0F) << 4);
            return System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(v);
        }
    }
}

/// <summary>Bytes of a stream one at a time through a buffer, with the position of the next byte.</summary>
internal sealed class ByteSource(Stream stream)
{
    private readonly byte[] _buffer = new byte[1 << 16];
    private int _at, _end;
    private long _before;

    /// <summary>Offset of the next byte.</summary>
    public long Position => _before + _at;

    /// <summary>The next byte, or -1 at the end.</summary>
    public int Next() => _at < _end || Fill() ? _buffer[_at++] : -1;

    private bool Fill()
    {
        _before += _end;
        (_at, _end) = (0, stream.Read(_buffer));
        return _end > 0;
    }
}
