using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Gradus.Foundation.Kernels;

namespace Gradus.Training.Loop;

/// <summary>
/// Writes scalars as TensorBoard event files: TFRecord frames (length, masked CRC-32C of it, data, masked CRC-32C of that) around
/// hand-written protocol buffers of the <c>Event</c> message (wall_time 1, step 2, file_version 3, summary 5, session_log 7).
/// </summary>
/// <remarks>
/// <para>Every writer makes its own new file, as TensorBoard expects of every process start; it reads all files of a folder in the
/// order of their names, which begin with the time. So a resumed run never appends to, or truncates, what an earlier process
/// wrote, and a file cut short by a crash costs its last event only.</para>
/// <para>A resumed run gives <c>purgeStep</c>, the first step it will write again. TensorBoard then drops what earlier files hold
/// of that step and later: points a killed process logged after its last checkpoint, which are about to be repeated.</para>
/// </remarks>
public sealed class TensorBoardWriter : IDisposable
{
    private const int LengthBytes = 8, CrcBytes = 4, Frame = LengthBytes + CrcBytes + CrcBytes;
    private readonly TimeProvider _clock;
    private readonly FileStream _file;
    private readonly MemoryStream _event = new();
    private readonly MemoryStream _summary = new();
    private readonly MemoryStream _value = new();

    /// <summary>Starts a new event file in <paramref name="folder"/>, which is made when missing.</summary>
    /// <param name="folder">Where TensorBoard is pointed at: <c>tensorboard --logdir FOLDER</c>.</param>
    /// <param name="clock">Source of the wall time of events and of the file's name.</param>
    /// <param name="purgeStep">On resume: the first step that is written again.</param>
    /// <exception cref="IOException">The folder cannot be written; writing throws it, too, when the disk is full.</exception>
    public TensorBoardWriter(string folder, TimeProvider clock, long? purgeStep = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(clock);
        _clock = clock;
        Directory.CreateDirectory(folder);
        _file = Create(folder, clock.GetUtcNow().ToUnixTimeSeconds());
        BeginEvent(0);
        Text(_event, 3, "brain.Event:2");
        EndEvent();
        if (purgeStep is not { } step)
            return;
        BeginEvent(step);
        Bytes(_event, 7, [0x08, 0x01]); // SessionLog { status = START }
        EndEvent();
    }

    /// <summary>The file being written.</summary>
    public string Path => _file.Name;

    /// <summary>Writes one value. A slash in the tag groups charts: <c>train/loss</c>. NaN and infinities are written as such.</summary>
    public void Scalar(string tag, long step, double value) => Scalars(step, [new(tag, value)]);

    /// <summary>Writes several values of one step as one event, and hands it to the operating system, so that a reader sees it now.</summary>
    public void Scalars(long step, ReadOnlySpan<KeyValuePair<string, double>> values)
    {
        BeginEvent(step);
        _summary.SetLength(0);
        Span<byte> single = stackalloc byte[5];
        foreach (var (tag, value) in values)
        {
            _value.SetLength(0);
            Text(_value, 1, tag);
            single[0] = (2 << 3) | 5; // simple_value, four bytes
            BinaryPrimitives.WriteSingleLittleEndian(single[1..], (float)value);
            _value.Write(single);
            Bytes(_summary, 1, Content(_value));
        }

        Bytes(_event, 5, Content(_summary));
        EndEvent();
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    private static FileStream Create(string folder, long seconds)
    {
        for (var number = 0; ; number++)
        {
            // "tfevents" in the name is what TensorBoard looks for. Ten digits of seconds sort by time until the year 2286.
            var path = System.IO.Path.GetFullPath(System.IO.Path.Combine(folder, string.Create(CultureInfo.InvariantCulture,
                $"events.out.tfevents.{seconds:d10}.gradus.{Environment.ProcessId}.{number}")));
            if (!File.Exists(path))
                return new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        }
    }

    private static ReadOnlySpan<byte> Content(MemoryStream stream) => stream.GetBuffer().AsSpan(0, (int)stream.Length);

    private static void Varint(MemoryStream to, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            to.WriteByte((byte)(value | 0x80));
        to.WriteByte((byte)value);
    }

    private static void Bytes(MemoryStream to, int field, ReadOnlySpan<byte> value)
    {
        Varint(to, (ulong)((field << 3) | 2));
        Varint(to, (ulong)value.Length);
        to.Write(value);
    }

    private static void Text(MemoryStream to, int field, string value) => Bytes(to, field, Encoding.UTF8.GetBytes(value));

    private void BeginEvent(long step)
    {
        _event.SetLength(0);
        Span<byte> time = stackalloc byte[9];
        time[0] = (1 << 3) | 1; // wall_time in seconds, eight bytes
        BinaryPrimitives.WriteDoubleLittleEndian(time[1..], (_clock.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds);
        _event.Write(time);
        if (step == 0)
            return; // the default, which protocol buffers leave out
        _event.WriteByte(2 << 3);
        Varint(_event, unchecked((ulong)step));
    }

    private void EndEvent()
    {
        // One write a record: a reader, or a crash, sees as little of a half-written one as the system allows.
        var data = Content(_event);
        var record = new byte[Frame + data.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(LengthBytes), Crc32C.Mask(Crc32C.Of(record.AsSpan(0, LengthBytes))));
        data.CopyTo(record.AsSpan(LengthBytes + CrcBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(record.Length - CrcBytes), Crc32C.Mask(Crc32C.Of(data)));
        _file.Write(record);
        _file.Flush();
    }
}
