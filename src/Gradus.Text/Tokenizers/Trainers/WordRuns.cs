using System.Buffers;
using System.Runtime.InteropServices;

namespace Gradus.Text.Tokenizers.Trainers;

/// <summary>Counts that went to disk, as runs: each a file of words in the order of their bytes. The files are deleted as soon as they are open, so nothing stays behind.</summary>
internal sealed class WordRuns : IDisposable
{
    /// <summary>Runs that are read side by side, each through a buffer.</summary>
    private const int Most = 64;

    private readonly Lock _gate = new();
    private readonly List<FileStream> _runs = [];

    public delegate void Visitor(ReadOnlySpan<byte> word, long times);

    /// <summary>Runs written by <see cref="Add"/>.</summary>
    public int Count { get; private set; }

    /// <summary>Writes counts as a run. From any thread.</summary>
    public void Add(WordCounts counts)
    {
        var order = Enumerable.Range(0, counts.Count).ToArray();
        Array.Sort(order, (a, b) => counts.Word(a).SequenceCompareTo(counts.Word(b)));
        var run = NewFile();
        using (var writer = new RunWriter(run))
            foreach (var i in order)
                writer.Write(counts.Word(i), counts.Times(i));
        lock (_gate)
        {
            _runs.Add(run);
            Count++;
            if (_runs.Count >= Most)
                MergeAll();
        }
    }

    /// <summary>Makes one run of all; then they can be visited as often as wanted.</summary>
    public void Finish()
    {
        if (_runs.Count > 1)
            MergeAll();
    }

    /// <summary>Every word once, with all its occurrences, in the order of the words' bytes. After <see cref="Finish"/>.</summary>
    public void Visit(Visitor visit)
    {
        foreach (var run in _runs)
        {
            var reader = new RunReader(run);
            while (reader.Next())
                visit(reader.Word, reader.Times);
        }
    }

    public void Dispose() => _runs.ForEach(run => run.Dispose());

    private void MergeAll()
    {
        var merged = NewFile();
        var waiting = new PriorityQueue<RunReader, RunReader>(Comparer<RunReader>.Create((a, b) => a.Word.SequenceCompareTo(b.Word)));
        foreach (var run in _runs)
            if (new RunReader(run) is var reader && reader.Next())
                waiting.Enqueue(reader, reader);
        using (var writer = new RunWriter(merged))
        {
            var word = new ArrayBufferWriter<byte>();
            while (waiting.TryDequeue(out var first, out _))
            {
                word.ResetWrittenCount();
                word.Write(first.Word);
                var times = first.Times;
                Return(first);
                while (waiting.TryPeek(out var other, out _) && other.Word.SequenceEqual(word.WrittenSpan))
                {
                    times = checked(times + other.Times);
                    waiting.Dequeue();
                    Return(other);
                }

                writer.Write(word.WrittenSpan, times);
            }
        }

        _runs.ForEach(run => run.Dispose());
        _runs.Clear();
        _runs.Add(merged);

        void Return(RunReader reader)
        {
            if (reader.Next())
                waiting.Enqueue(reader, reader);
        }
    }

    private static FileStream NewFile()
    {
        var path = Path.Combine(Path.GetTempPath(), $"gradus-words-{Guid.NewGuid():N}");
        var stream = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        File.Delete(path);
        return stream;
    }

    /// <summary>The length of a word, its bytes, how often it occurs; numbers of 32 and 64 bits.</summary>
    private sealed class RunWriter(FileStream stream) : IDisposable
    {
        private readonly BufferedStream _buffer = new(stream, 1 << 16);

        public void Write(ReadOnlySpan<byte> word, long times)
        {
            var length = word.Length;
            _buffer.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<int>(ref length)));
            _buffer.Write(word);
            _buffer.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<long>(ref times)));
        }

        public void Dispose() => _buffer.Flush(); // the file stays open: it is the run
    }

    private sealed class RunReader(FileStream stream)
    {
        private byte[] _buffer = new byte[1 << 16];
        private long _position; // in the file, behind what the buffer holds
        private int _at, _end, _word, _length;

        public ReadOnlySpan<byte> Word => _buffer.AsSpan(_word, _length);

        public long Times { get; private set; }

        public bool Next()
        {
            if (!Fill(sizeof(int)))
                return false;
            var length = MemoryMarshal.Read<int>(_buffer.AsSpan(_at));
            if (!Fill(sizeof(int) + length + sizeof(long)))
                throw new EndOfStreamException("a file of counted words ends in the middle of one");
            (_word, _length) = (_at + sizeof(int), length);
            Times = MemoryMarshal.Read<long>(_buffer.AsSpan(_word + length));
            _at = _word + length + sizeof(long);
            return true;
        }

        /// <summary>Whether so many bytes are there from <see cref="_at"/> on.</summary>
        private bool Fill(int count)
        {
            if (_end - _at >= count)
                return true;
            _buffer.AsSpan(_at, _end - _at).CopyTo(_buffer);
            (_at, _end) = (0, _end - _at);
            if (_buffer.Length < count)
                Array.Resize(ref _buffer, Math.Max(count, 2 * _buffer.Length));
            while (_end < count && RandomAccess.Read(stream.SafeFileHandle, _buffer.AsSpan(_end), _position) is > 0 and var read)
                (_end, _position) = (_end + read, _position + read);
            return _end >= count;
        }
    }
}
