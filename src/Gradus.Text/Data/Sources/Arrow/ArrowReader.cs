using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gradus.Text.Data.Compression;

namespace Gradus.Text.Data.Sources.Arrow;

/// <summary>Rows of an Arrow IPC stream (what Hugging Face's datasets store) or file, as JSON objects.</summary>
internal sealed class ArrowReader(Stream stream, string name)
{
    private const uint Continuation = 0xFFFFFFFF;
    private const int MaxMetadata = 64 << 20;
    private const long MaxBody = 1L << 30;
    private const byte SchemaMessage = 1, DictionaryMessage = 2, BatchMessage = 3;

    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly ByteReader _reader = new(stream);
    private readonly Dictionary<long, ArrowColumn> _dictionaries = [];
    private readonly Dictionary<long, ArrowField> _dictionaryFields = [];
    private ArrowField[] _columns = [];
    private long _row;

    public static bool IsStart(ReadOnlySpan<byte> head) =>
        head.StartsWith("ARROW1\0\0"u8) || (head.Length > 16 && BinaryPrimitives.ReadUInt32LittleEndian(head) == Continuation && BinaryPrimitives.ReadInt32LittleEndian(head[4..]) is > 16 and < MaxMetadata && BinaryPrimitives.ReadInt32LittleEndian(head[8..]) is > 0 and < 64);

    /// <summary>Rows in order: the object, or why a row could not be read.</summary>
    public IEnumerable<(long Row, byte[]? Json, string Why)> Rows()
    {
        if (_reader.Peek(8).StartsWith("ARROW1"u8))
            _reader.Skip(8);
        while (Message() is { } message)
        {
            if (message.Type != BatchMessage)
                continue;
            var (columns, count) = Checked(() =>
            {
                var batch = new ArrowBatch(message.Header, message.Body, _dictionaries, name);
                return (_columns.Select(field => ArrowColumn.Take(field, batch)).ToArray(), batch.Rows);
            });
            for (long i = 0; i < count; i++)
                yield return Row(columns, i);
        }
    }

    private (long Row, byte[]? Json, string Why) Row(ArrowColumn[] columns, long i)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(buffer, s_json);
        _row++;
        try
        {
            json.WriteStartObject();
            foreach (var column in columns)
            {
                json.WritePropertyName(column.Field.Name);
                column.Write(json, i);
            }

            json.WriteEndObject();
            json.Flush();
            return (_row, buffer.WrittenSpan.ToArray(), "");
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            return (_row, null, (e is InvalidDataException ? e.Message : "a value that lies outside its batch") + ".");
        }
    }

    private (byte Type, FlatTable Header, ReadOnlyMemory<byte> Body)? Message()
    {
        var at = _reader.Position;
        var start = _reader.Peek(8).ToArray();
        if (start.Length == 0)
            return null;
        if (start.Length < 4)
            throw Cut(at);
        var first = BinaryPrimitives.ReadUInt32LittleEndian(start);
        if (start.Length < 8 && first != 0) // the end mark of files before version 0.15 is four bytes
            throw Cut(at);
        var length = first == Continuation ? BinaryPrimitives.ReadInt32LittleEndian(start.AsSpan(4)) : (int)first;
        _reader.Skip(first == Continuation ? 8 : 4);
        if (length == 0)
            return null; // the end mark; a file's footer follows, which repeats what was said
        if (length is < 0 or > MaxMetadata)
            throw new DamagedFileException($"{name}: damaged Arrow data at byte {at}: a message of impossible size.");
        var metadata = _reader.ReadBlock(length);
        if (metadata.Length < length)
            throw Cut(at);
        var (type, header, bodyLength) = Checked(() =>
        {
            var message = FlatTable.Root(metadata);
            return (message.Byte(1), message.Table(2) ?? throw new InvalidDataException("a message without a header"), message.Int64(3));
        });
        if (bodyLength is < 0 or > MaxBody)
            throw new DamagedFileException($"{name}: the Arrow batch at byte {at} says {bodyLength} bytes; at most {MaxBody} are read. Write it with smaller batches.");
        var body = _reader.ReadBlock((int)bodyLength);
        if (body.Length < bodyLength)
            throw Cut(at);
        Checked(() => Note(type, header, body));
        return (type, header, body);
    }

    private bool Note(byte type, FlatTable header, ReadOnlyMemory<byte> body)
    {
        if (type == SchemaMessage)
        {
            if (header.Int16(0) != 0)
                throw new InvalidDataException("numbers with the big end first, which are not read");
            _columns = [.. header.Tables(1).Select(field => ArrowField.Read(field))];
            Dictionaries(_columns);
        }
        else if (type == DictionaryMessage)
        {
            var id = header.Int64(0);
            if (header.Byte(2) != 0)
                throw new InvalidDataException("a dictionary in parts, which is not read");
            var batch = new ArrowBatch(header.Table(1) ?? throw new InvalidDataException("a dictionary without values"), body, _dictionaries, name);
            _dictionaries[id] = ArrowColumn.Take(_dictionaryFields.GetValueOrDefault(id) ?? throw new InvalidDataException($"a dictionary {id} that no column has"), batch);
        }

        return true;
    }

    private void Dictionaries(IEnumerable<ArrowField> fields)
    {
        foreach (var field in fields)
        {
            if (field is { Dictionary: { } id, Values: { } values })
                _dictionaryFields[id] = values;
            Dictionaries(field.Children);
        }
    }

    private T Checked<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            throw new DamagedFileException($"{name}: damaged Arrow data before byte {_reader.Position}: {(e is InvalidDataException ? e.Message : "a value that lies outside the file")}.", e);
        }
    }

    private DamagedFileException Cut(long at) => new($"{name}: the Arrow file is cut off: it stops at byte {_reader.Position} inside the message at byte {at}. Fetch it again.");
}
