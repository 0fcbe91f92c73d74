using System.Buffers;
using Gradus.Text.Data.Compression;

namespace Gradus.Text.Data.Sources.Tables;

/// <summary>
/// The objects of a JSON file, streamed: the elements of the list at its top, or of the list that its object holds under a usual name
/// (data, rows, examples …), or the objects that stand one behind the other. Only one of them is in memory.
/// </summary>
internal sealed class JsonElements(Stream stream, string name, int maxRecordBytes, IReadOnlyList<string> lists)
{
    private readonly ByteSource _source = new(stream);
    private readonly ArrayBufferWriter<byte> _value = new(1 << 12);
    private int _ahead = -2; // a byte looked at, or -2
    private bool _tooLong;

    public IEnumerable<(long Offset, ReadOnlyMemory<byte> Json, bool TooLong)> Values()
    {
        SkipMark();
        while (true)
        {
            var first = NextToken();
            if (first < 0)
                yield break;
            var offset = _source.Position - 1;
            if (first == '[')
            {
                foreach (var value in List())
                    yield return value;
            }
            else if (first == '{' && lists.Count > 0)
            {
                foreach (var value in ObjectOrItsList(offset))
                    yield return value;
            }
            else
            {
                Start();
                Value(first);
                yield return (offset, _value.WrittenMemory, _tooLong);
            }
        }
    }

    private IEnumerable<(long, ReadOnlyMemory<byte>, bool)> List()
    {
        var c = NextToken();
        if (c == ']')
            yield break;
        while (true)
        {
            var offset = _source.Position - 1;
            Start();
            Value(c);
            yield return (offset, _value.WrittenMemory, _tooLong);
            c = NextToken();
            if (c == ']')
                yield break;
            if (c != ',')
                throw c < 0 ? Cut() : Damaged($"'{(char)c}' where a comma or the end of the list has to be");
            c = NextToken();
        }
    }

    /// <summary>An object; when one of its members is a list of a usual name, the list's elements instead.</summary>
    private IEnumerable<(long, ReadOnlyMemory<byte>, bool)> ObjectOrItsList(long offset)
    {
        Start();
        Keep('{');
        var found = false;
        var c = NextToken();
        while (c != '}')
        {
            if (c != '"')
                throw c < 0 ? Cut() : Damaged($"'{(char)c}' where a member's name has to be");
            var from = _value.WrittenCount;
            Value(c);
            var member = _tooLong ? "" : System.Text.Encoding.UTF8.GetString(_value.WrittenSpan[from..]).Trim('"');
            c = NextToken();
            if (c != ':')
                throw c < 0 ? Cut() : Damaged("a member's name without a colon");
            Keep(':');
            c = NextToken();
            if (c == '[' && lists.Contains(member))
            {
                found = true;
                foreach (var value in List())
                    yield return value;
                Start();
            }
            else
            {
                if (found)
                    Start();
                Value(c);
            }

            c = NextToken();
            if (c == ',')
            {
                Keep(',');
                c = NextToken();
            }
            else if (c != '}')
            {
                throw c < 0 ? Cut() : Damaged($"'{(char)c}' where a comma or the end of the object has to be");
            }
        }

        Keep('}');
        if (!found)
            yield return (offset, _value.WrittenMemory, _tooLong);
    }

    /// <summary>One value from its first byte to its last. That it is well-formed inside is seen by whoever parses it.</summary>
    private void Value(int c)
    {
        if (c < 0)
            throw Cut();
        Keep((byte)c);
        if (c == '"')
        {
            String();
            return;
        }

        if (c is '{' or '[')
        {
            for (long depth = 1; depth > 0;)
            {
                c = Next();
                if (c < 0)
                    throw Cut();
                Keep((byte)c);
                if (c == '"')
                    String();
                else if (c is '{' or '[')
                    depth++;
                else if (c is '}' or ']')
                    depth--;
            }

            return;
        }

        while ((c = Next()) >= 0)
        {
            if (c is ',' or ']' or '}' or ' ' or '\t' or '\r' or '\n' or ':')
            {
                _ahead = c;
                return;
            }

            Keep((byte)c);
        }
    }

    private void String()
    {
        while (true)
        {
            var c = Next();
            if (c < 0)
                throw Cut();
            Keep((byte)c);
            if (c == '"')
                return;
            if (c == '\\' && (c = Next()) >= 0)
                Keep((byte)c);
        }
    }

    private void Start()
    {
        _value.ResetWrittenCount();
        _tooLong = false;
    }

    private void Keep(int b)
    {
        if (_value.WrittenCount >= maxRecordBytes)
        {
            _tooLong = true;
            return;
        }

        _value.GetSpan(1)[0] = (byte)b;
        _value.Advance(1);
    }

    private int Next()
    {
        if (_ahead == -2)
            return _source.Next();
        var c = _ahead;
        _ahead = -2;
        return c;
    }

    private int NextToken()
    {
        int c;
        do
            c = Next();
        while (c is ' ' or '\t' or '\r' or '\n');
        return c;
    }

    private void SkipMark()
    {
        var c = _source.Next();
        if (c == 0xEF && _source.Next() == 0xBB)
            _source.Next();
        else
            _ahead = c;
    }

    private DamagedFileException Cut() => new($"{name}: the JSON file is cut off: it stops at byte {_source.Position} in the middle of a value. Fetch it again.");

    private DamagedFileException Damaged(string what) => new($"{name}: not valid JSON at byte {_source.Position - 1}: {what}.");
}
