using System.Runtime.InteropServices;
using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Compression;

/// <summary>xz through the system's liblzma. Any number of streams; checksums are liblzma's own; a cut file is an error.</summary>
internal sealed unsafe partial class XzReadStream : DecodingStream
{
    private const string Library = "liblzma.so.5";
    private const uint Concatenated = 0x08;
    private const ulong MemoryLimit = 256UL << 20; // xz -9 needs 65 MB; more than this is an attack or a mistake
    private const int Run = 0, Finish = 3;
    private const int Ok = 0, StreamEnd = 1, MemoryLimitError = 6, FormatError = 7, BufferError = 10;

    private readonly Stream _file;
    private readonly string _name;
    private readonly byte[] _input = GC.AllocateUninitializedArray<byte>(1 << 16, pinned: true);
    private LzmaStream* _lzma;
    private bool _fileEnded, _ended;

    public XzReadStream(Stream file, string name)
    {
        (_file, _name) = (file, name);
        _lzma = (LzmaStream*)NativeMemory.AllocZeroed((nuint)sizeof(LzmaStream));
        try
        {
            var rc = StreamDecoder(_lzma, MemoryLimit, Concatenated);
            if (rc != Ok)
                throw new UserException($"{name}: liblzma could not start (code {rc}).");
        }
        catch (DllNotFoundException e)
        {
            throw new UserException($"{name}: reading xz needs {Library}, which is not on this machine. On Debian: apt install liblzma5.", e);
        }
    }

    public override int Read(Span<byte> buffer)
    {
        if (_ended || buffer.Length == 0)
            return 0;
        fixed (byte* output = buffer)
        {
            _lzma->NextOut = output;
            _lzma->AvailOut = (nuint)buffer.Length;
            while (true)
            {
                if (_lzma->AvailIn == 0 && !_fileEnded)
                {
                    var n = _file.Read(_input);
                    _lzma->NextIn = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_input, 0);
                    _lzma->AvailIn = (nuint)n;
                    _fileEnded = n == 0;
                }

                var rc = Code(_lzma, _fileEnded ? Finish : Run);
                var produced = buffer.Length - (int)_lzma->AvailOut;
                if (rc == StreamEnd)
                {
                    _ended = true;
                    return produced;
                }

                if (rc == BufferError && _fileEnded)
                    throw new DamagedFileException($"{_name}: the xz file is cut off: it stops at byte {_lzma->TotalIn} in the middle of its data. Fetch it again.");
                if (rc != Ok)
                    throw new DamagedFileException($"{_name}: damaged xz data near byte {_lzma->TotalIn}: {Reason(rc)}.");
                if (produced > 0)
                    return produced;
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (_lzma is not null)
        {
            try
            {
                End(_lzma);
            }
            catch (DllNotFoundException)
            {
                // The constructor already said so.
            }

            NativeMemory.Free(_lzma);
            _lzma = null;
        }

        if (disposing)
            _file.Dispose();
        base.Dispose(disposing);
    }

    private static string Reason(int rc) => rc switch
    {
        FormatError => "it does not start like an xz file, or bytes follow its end",
        MemoryLimitError => $"it asks for more than {MemoryLimit >> 20} MB of memory",
        _ => $"a checksum or code is wrong (liblzma code {rc})",
    };

    /// <summary>lzma_stream of lzma/base.h (5.x): 136 bytes on 64-bit machines.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct LzmaStream
    {
        public byte* NextIn;
        public nuint AvailIn;
        public ulong TotalIn;
        public byte* NextOut;
        public nuint AvailOut;
        public ulong TotalOut;
        private readonly nint _allocator, _internal, _p1, _p2, _p3, _p4;
        private readonly ulong _seek, _i2;
        private readonly nuint _i3, _i4;
        private readonly int _e1, _e2;
    }

    [LibraryImport(Library, EntryPoint = "lzma_stream_decoder")]
    private static partial int StreamDecoder(LzmaStream* stream, ulong memoryLimit, uint flags);

    [LibraryImport(Library, EntryPoint = "lzma_code")]
    private static partial int Code(LzmaStream* stream, int action);

    [LibraryImport(Library, EntryPoint = "lzma_end")]
    private static partial void End(LzmaStream* stream);
}
