using System.Runtime.InteropServices;
using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Compression;

/// <summary>zstd through the system's libzstd. Any number of frames; a cut file is an error; windows above 128 MB are refused (libzstd's default).</summary>
internal sealed unsafe partial class ZstdReadStream : DecodingStream
{
    private const string Library = "libzstd.so.1";

    private readonly Stream _file;
    private readonly string _name;
    private readonly byte[] _input = GC.AllocateUninitializedArray<byte>(1 << 17, pinned: true);
    private nint _context;
    private nuint _inputAt, _inputEnd;
    private long _position;
    private bool _inFrame;

    public ZstdReadStream(Stream file, string name)
    {
        (_file, _name) = (file, name);
        try
        {
            _context = CreateContext();
        }
        catch (DllNotFoundException e)
        {
            throw new UserException($"{name}: reading zstd needs {Library}, which is not on this machine. On Debian: apt install libzstd1.", e);
        }
    }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.Length == 0)
            return 0;
        fixed (byte* output = buffer)
        {
            var o = new Buffer { Data = output, Size = (nuint)buffer.Length };
            while (true)
            {
                var fileEnded = false;
                if (_inputAt == _inputEnd)
                {
                    var n = _file.Read(_input);
                    (_inputAt, _inputEnd) = (0, (nuint)n);
                    _position += n;
                    fileEnded = n == 0;
                    if (fileEnded && !_inFrame)
                        return 0;
                }

                var i = new Buffer { Data = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_input, 0), Size = _inputEnd, Position = _inputAt };
                var rc = Decompress(_context, &o, &i);
                if (IsError(rc) != 0)
                    throw new DamagedFileException($"{_name}: damaged zstd data before byte {_position}: {Marshal.PtrToStringUTF8(ErrorName(rc))}.");
                _inputAt = i.Position;
                _inFrame = rc != 0; // 0: a frame is complete and flushed
                if (o.Position > 0)
                    return (int)o.Position;
                if (fileEnded && _inFrame)
                    throw new DamagedFileException($"{_name}: the zstd file is cut off: it stops at byte {_position} in the middle of its data. Fetch it again.");
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (_context != 0)
            FreeContext(_context);
        _context = 0;
        if (disposing)
            _file.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>ZSTD_inBuffer and ZSTD_outBuffer: the same three fields.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Buffer
    {
        public byte* Data;
        public nuint Size;
        public nuint Position;
    }

    [LibraryImport(Library, EntryPoint = "ZSTD_createDStream")]
    private static partial nint CreateContext();

    [LibraryImport(Library, EntryPoint = "ZSTD_freeDStream")]
    private static partial nuint FreeContext(nint context);

    [LibraryImport(Library, EntryPoint = "ZSTD_decompressStream")]
    private static partial nuint Decompress(nint context, Buffer* output, Buffer* input);

    [LibraryImport(Library, EntryPoint = "ZSTD_isError")]
    private static partial uint IsError(nuint code);

    [LibraryImport(Library, EntryPoint = "ZSTD_getErrorName")]
    private static partial nint ErrorName(nuint code);
}
