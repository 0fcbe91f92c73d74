using System.Runtime.InteropServices;
using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Compression;

/// <summary>Writes one zstd frame, with its checksum, through the system's libzstd. One thread, one level: the same bytes for one version of the library.</summary>
internal sealed unsafe partial class ZstdWriteStream : Stream
{
    private const string Library = "libzstd.so.1";
    private const int Level = 3, CompressionLevel = 100, ChecksumFlag = 201;

    private readonly Stream _file;
    private readonly byte[] _output = GC.AllocateUninitializedArray<byte>(1 << 17, pinned: true);
    private nint _context;

    public ZstdWriteStream(Stream file)
    {
        _file = file;
        try
        {
            _context = CreateContext();
        }
        catch (DllNotFoundException e)
        {
            throw new UserException($"writing zstd needs {Library}, which is not on this machine. On Debian: apt install libzstd1; or set output.compression: none.", e);
        }

        Check(SetParameter(_context, CompressionLevel, Level));
        Check(SetParameter(_context, ChecksumFlag, 1));
    }

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Write(ReadOnlySpan<byte> buffer) => Pack(buffer, end: false);

    public override void Write(byte[] buffer, int offset, int count) => Pack(buffer.AsSpan(offset, count), end: false);

    /// <summary>Ends the frame. A stream that is disposed of without it leaves a frame that readers call cut.</summary>
    public void Finish() => Pack([], end: true);

    public override void Flush() => _file.Flush();
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (_context != 0)
            FreeContext(_context);
        _context = 0;
        base.Dispose(disposing);
    }

    private void Pack(ReadOnlySpan<byte> text, bool end)
    {
        fixed (byte* input = text)
        {
            var i = new Buffer { Data = input, Size = (nuint)text.Length };
            while (true)
            {
                var o = new Buffer { Data = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_output, 0), Size = (nuint)_output.Length };
                var left = Check(Compress(_context, &o, &i, end ? 2 : 0));
                _file.Write(_output, 0, (int)o.Position);
                if (end ? left == 0 : i.Position == i.Size)
                    return;
            }
        }
    }

    private static nuint Check(nuint code) => IsError(code) == 0 ? code : throw new IOException($"zstd: {Marshal.PtrToStringUTF8(ErrorName(code))}");

    /// <summary>ZSTD_inBuffer and ZSTD_outBuffer: the same three fields.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Buffer
    {
        public byte* Data;
        public nuint Size;
        public nuint Position;
    }

    [LibraryImport(Library, EntryPoint = "ZSTD_createCCtx")]
    private static partial nint CreateContext();

    [LibraryImport(Library, EntryPoint = "ZSTD_freeCCtx")]
    private static partial nuint FreeContext(nint context);

    [LibraryImport(Library, EntryPoint = "ZSTD_CCtx_setParameter")]
    private static partial nuint SetParameter(nint context, int parameter, int value);

    [LibraryImport(Library, EntryPoint = "ZSTD_compressStream2")]
    private static partial nuint Compress(nint context, Buffer* output, Buffer* input, int directive);

    [LibraryImport(Library, EntryPoint = "ZSTD_isError")]
    private static partial uint IsError(nuint code);

    [LibraryImport(Library, EntryPoint = "ZSTD_getErrorName")]
    private static partial nint ErrorName(nuint code);
}
