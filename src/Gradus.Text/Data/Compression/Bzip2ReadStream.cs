namespace Gradus.Text.Data.Compression;

/// <summary>
/// bzip2, decoding only, any number of streams one behind the other (as <c>pbzip2</c> and Wikipedia's multistream dumps write them).
/// The checksum of every block and of every stream is compared, and a cut file is an error.
/// </summary>
internal sealed class Bzip2ReadStream : DecodingStream
{
    private const ulong BlockMagic = 0x314159265359, EndMagic = 0x177245385090;
    private const int MaxCodeLength = 20;
    private const int GroupSize = 50;

    private static readonly uint[] s_crc = BuildCrc();

    private readonly Stream _file;
    private readonly string _name;
    private readonly ByteSource _source;
    private readonly byte[] _selectors = new byte[18_002]; // as many as a block of 900,000 can use
    private readonly byte[] _symbols = new byte[256];
    private readonly Code[] _codes = [.. Enumerable.Range(0, 6).Select(_ => new Code())];
    private uint[] _links = []; // the block's bytes in the low 8 bits, the order to walk them in the high 24
    private ulong _bits;
    private int _bitCount;

    private bool _inStream, _inBlock, _ended;
    private int _blockSize;
    private uint _streamCrc, _blockCrc, _wantedCrc;
    private uint _at; // position of the walk
    private int _left; // bytes of the block not walked yet
    private int _run, _last, _repeat; // equal bytes in a row, the last byte, and how often it still has to be written

    public Bzip2ReadStream(Stream file, string name)
    {
        (_file, _name) = (file, name);
        _source = new ByteSource(file);
    }

    public override int Read(Span<byte> buffer)
    {
        try
        {
            while (!_ended && buffer.Length > 0)
            {
                if (!_inBlock)
                {
                    BeginBlockOrEnd();
                    continue;
                }

                var n = Walk(buffer);
                foreach (var b in buffer[..n])
                    _blockCrc = (_blockCrc << 8) ^ s_crc[(_blockCrc >> 24) ^ b];
                if (_left == 0 && _repeat == 0)
                    EndBlock();
                if (n > 0)
                    return n;
            }

            return 0;
        }
        catch (EndOfStreamException)
        {
            throw new DamagedFileException($"{_name}: the bzip2 file is cut off: it stops at byte {_source.Position} in the middle of its data. Fetch it again.");
        }
        catch (InvalidDataException e)
        {
            throw new DamagedFileException($"{_name}: damaged bzip2 data near byte {_source.Position}: {e.Message}.", e);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _file.Dispose();
        base.Dispose(disposing);
    }

    private void BeginBlockOrEnd()
    {
        if (!_inStream)
        {
            BeginStream();
            if (_ended)
                return;
        }

        var magic = ((ulong)Bits(24) << 24) | Bits(24);
        var crc = (Bits(16) << 16) | Bits(16);
        if (magic == BlockMagic)
        {
            _wantedCrc = crc;
            ReadBlock();
            return;
        }

        if (magic != EndMagic)
            throw new InvalidDataException("neither a block nor an end where one has to be");
        if (crc != _streamCrc)
            throw new InvalidDataException($"the checksum of the stream is {_streamCrc:x8}, the file says {crc:x8}");
        _bitCount &= ~7; // streams begin at whole bytes
        _inStream = false;
    }

    private void BeginStream()
    {
        var start = _source.Position - (_bitCount / 8);
        Fetch();
        if (_bitCount == 0 && start > 0)
        {
            _ended = true;
            return;
        }

        var first = Bits(8);
        if (first != 'B' || Bits(8) != 'Z' || Bits(8) != 'h')
            throw new InvalidDataException(start == 0 ? "it does not start like a bzip2 file" : $"bytes after the end of the data (from byte {start}) that are no bzip2 stream");
        var level = (int)Bits(8) - '0';
        if (level is < 1 or > 9)
            throw new InvalidDataException("an unknown block size");
        _blockSize = level * 100_000;
        if (_links.Length < _blockSize)
            _links = new uint[_blockSize];
        (_inStream, _streamCrc) = (true, 0);
    }

    private void ReadBlock()
    {
        if (Bits(1) != 0)
            throw new InvalidDataException("a randomised block, which bzip2 has not written since version 0.9.5");
        var origin = Bits(24);
        var used = ReadSymbols();
        if (used == 0)
            throw new InvalidDataException("a block without symbols");
        var groups = ReadSelectors(out var selectors);
        for (var g = 0; g < groups; g++)
            _codes[g].Read(this, used + 2);
        var length = ReadMoveToFront(used, selectors);
        if (origin >= (uint)length)
            throw new InvalidDataException("a block that starts outside itself");
        Link(length);
        _at = _links[origin] >> 8;
        (_left, _run, _last, _repeat, _blockCrc, _inBlock) = (length, 0, -1, 0, 0xFFFFFFFF, true);
    }

    private int ReadSymbols()
    {
        var ranges = Bits(16);
        var used = 0;
        for (var i = 0; i < 16; i++)
        {
            if ((ranges & (0x8000u >> i)) == 0)
                continue;
            var map = Bits(16);
            for (var j = 0; j < 16; j++)
                if ((map & (0x8000u >> j)) != 0)
                    _symbols[used++] = (byte)((i * 16) + j);
        }

        return used;
    }

    private int ReadSelectors(out int selectors)
    {
        var groups = (int)Bits(3);
        var count = (int)Bits(15);
        if (groups is < 2 or > 6 || count == 0)
            throw new InvalidDataException("an impossible number of codes");
        Span<byte> order = [0, 1, 2, 3, 4, 5];
        for (var i = 0; i < count; i++)
        {
            var j = 0;
            while (Bits(1) != 0)
                if (++j >= groups)
                    throw new InvalidDataException("a choice of a code that is not there");
            var chosen = order[j];
            order[..j].CopyTo(order[1..]);
            order[0] = chosen;
            if (i < _selectors.Length) // writers may pad; more than a block can use are never asked for
                _selectors[i] = chosen;
        }

        selectors = Math.Min(count, _selectors.Length);
        return groups;
    }

    /// <summary>Huffman codes, runs and move-to-front ranks undone: fills the low bytes of the links, and returns how many.</summary>
    private int ReadMoveToFront(int used, int selectors)
    {
        Span<byte> front = stackalloc byte[256];
        _symbols.AsSpan(0, used).CopyTo(front);
        var (length, group, inGroup) = (0, 0, 0);
        long run = 0;
        var weight = 1L;
        while (true)
        {
            if (inGroup == 0)
            {
                if (group == selectors)
                    throw new InvalidDataException("a block that goes on behind its last code");
                inGroup = GroupSize;
                group++;
            }

            inGroup--;
            var symbol = _codes[_selectors[group - 1]].Decode(this);
            if (symbol <= 1)
            {
                run += weight << symbol;
                weight <<= 1;
                if (run > _blockSize)
                    throw new InvalidDataException("a run longer than its block");
                continue;
            }

            if (run > 0)
            {
                if (length + run > _blockSize)
                    throw new InvalidDataException("a block longer than its size");
                _links.AsSpan(length, (int)run).Fill(front[0]);
                length += (int)run;
                (run, weight) = (0, 1);
            }

            if (symbol == used + 1)
                return length;
            if (length == _blockSize)
                throw new InvalidDataException("a block longer than its size");
            var rank = symbol - 1;
            var b = front[rank];
            front[..rank].CopyTo(front[1..]);
            front[0] = b;
            _links[length++] = b;
        }
    }

    /// <summary>The Burrows-Wheeler transform undone: behind each byte the place of the one that follows it.</summary>
    private void Link(int length)
    {
        Span<int> next = stackalloc int[256];
        next.Clear();
        for (var i = 0; i < length; i++)
            next[(byte)_links[i]]++;
        var sum = 0;
        for (var b = 0; b < 256; b++)
            (next[b], sum) = (sum, sum + next[b]);
        for (var i = 0; i < length; i++)
            _links[next[(byte)_links[i]]++] |= (uint)i << 8;
    }

    /// <summary>Walks the block and undoes the outermost runs: four equal bytes are followed by a count of more.</summary>
    private int Walk(Span<byte> buffer)
    {
        var n = 0;
        while (n < buffer.Length)
        {
            if (_repeat > 0)
            {
                var count = Math.Min(_repeat, buffer.Length - n);
                buffer.Slice(n, count).Fill((byte)_last);
                n += count;
                _repeat -= count;
                continue;
            }

            if (_left == 0)
                break;
            var link = _links[_at];
            _at = link >> 8;
            _left--;
            var b = (byte)link;
            if (_run == 4)
            {
                (_repeat, _run) = (b, 0);
                continue;
            }

            _run = b == _last ? _run + 1 : 1;
            _last = b;
            if (_run == 4 && _left == 0)
                throw new InvalidDataException("a run without its count");
            buffer[n++] = b;
        }

        return n;
    }

    private void EndBlock()
    {
        var crc = ~_blockCrc;
        if (crc != _wantedCrc)
            throw new InvalidDataException($"the checksum of a block is {crc:x8}, the file says {_wantedCrc:x8}");
        _streamCrc = ((_streamCrc << 1) | (_streamCrc >> 31)) ^ crc;
        _inBlock = false;
    }

    private uint Bits(int count)
    {
        if (_bitCount < count)
            Fetch();
        if (_bitCount < count)
            throw new EndOfStreamException();
        _bitCount -= count;
        return (uint)(_bits >> _bitCount) & (uint)((1UL << count) - 1);
    }

    /// <summary>Bytes into the bit buffer: to more than any code or number needs, or to the end of the file.</summary>
    private void Fetch()
    {
        while (_bitCount <= 32 && _source.Next() is >= 0 and var b)
        {
            _bits = (_bits << 8) | (uint)b;
            _bitCount += 8;
        }
    }

    private static uint[] BuildCrc()
    {
        var table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            var c = i << 24;
            for (var bit = 0; bit < 8; bit++)
                c = (c & 0x80000000) != 0 ? (c << 1) ^ 0x04C11DB7 : c << 1;
            table[i] = c;
        }

        return table;
    }

    /// <summary>One of a block's prefix codes, most significant bit first.</summary>
    private sealed class Code
    {
        private readonly int[] _limit = new int[MaxCodeLength + 2]; // last code of each length, or -1
        private readonly int[] _offset = new int[MaxCodeLength + 2]; // from a code to its place among the symbols
        private readonly ushort[] _sorted = new ushort[258];
        private int _shortest;

        public void Read(Bzip2ReadStream input, int symbols)
        {
            Span<byte> lengths = stackalloc byte[258];
            var length = (int)input.Bits(5);
            for (var i = 0; i < symbols; i++)
            {
                while (true)
                {
                    if (length is < 1 or > MaxCodeLength)
                        throw new InvalidDataException("an impossible code length");
                    if (input.Bits(1) == 0)
                        break;
                    length += input.Bits(1) == 0 ? 1 : -1;
                }

                lengths[i] = (byte)length;
            }

            Build(lengths[..symbols]);
        }

        public int Decode(Bzip2ReadStream input)
        {
            if (input._bitCount < MaxCodeLength)
                input.Fetch();
            var ahead = (int)(input._bitCount >= MaxCodeLength ? input._bits >> (input._bitCount - MaxCodeLength) : input._bits << (MaxCodeLength - input._bitCount)) & ((1 << MaxCodeLength) - 1);
            for (var length = _shortest; length <= MaxCodeLength; length++)
            {
                var code = ahead >> (MaxCodeLength - length);
                if (code > _limit[length])
                    continue;
                if (length > input._bitCount)
                    throw new EndOfStreamException();
                input._bitCount -= length;
                return _sorted[_offset[length] + code];
            }

            throw input._bitCount < MaxCodeLength ? new EndOfStreamException() : new InvalidDataException("bits that are no code");
        }

        private void Build(ReadOnlySpan<byte> lengths)
        {
            var (code, place) = (0, 0);
            _shortest = MaxCodeLength;
            foreach (var length in lengths)
                _shortest = Math.Min(_shortest, length);
            for (var length = 1; length <= MaxCodeLength; length++)
            {
                _offset[length] = place - code;
                for (var symbol = 0; symbol < lengths.Length; symbol++)
                {
                    if (lengths[symbol] != length)
                        continue;
                    _sorted[place++] = (ushort)symbol;
                    code++;
                }

                if (code > 1 << length)
                    throw new InvalidDataException("an over-full code");
                _limit[length] = code - 1;
                code <<= 1;
            }
        }
    }
}
