using System.IO.MemoryMappedFiles;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Microsoft.Win32.SafeHandles;

namespace Gradus.Engine.Files;

/// <summary>A safetensors file, open for reading. Opening reads and checks the header only; the file stays open until disposed.</summary>
/// <remarks>
/// Two ways to the data. <c>Read</c> copies with positioned reads (pread): a file truncated or rewritten meanwhile gives a
/// <see cref="UserException"/>. <see cref="Map"/> copies nothing, but touching a page of a file that someone truncated kills
/// the process (SIGBUS), and .NET cannot catch that: it is for files this process wrote or that nobody else writes.
/// A file replaced by rename, as <see cref="SafetensorsWriter"/> does, harms neither. Reading is safe from many threads at once.
/// </remarks>
public sealed class SafetensorsFile : IDisposable
{
    private readonly SafeFileHandle _handle;
    private readonly long _length;
    private readonly DateTime _written;
    private readonly Lock _mapLock = new();
    private MemoryMappedFile? _map;
    private MemoryMappedViewAccessor? _view;

    private SafetensorsFile(string path, SafeFileHandle handle)
    {
        Path = path;
        _handle = handle;
        try
        {
            _length = RandomAccess.GetLength(handle);
            _written = File.GetLastWriteTimeUtc(handle);
        }
        catch (Exception problem) when (problem is NotSupportedException or IOException)
        {
            throw new UserException($"{path}: not a regular file", problem);
        }

        Span<byte> prefix = stackalloc byte[16];
        prefix = prefix[..(int)Math.Min(prefix.Length, _length)];
        ReadAt(0, prefix);
        if (Foreign.Advice(path, prefix) is { } advice)
            throw new UserException($"{path}: {advice}");
        if (_length < SafetensorsHeader.Prefix)
            throw new UserException($"{path}: {_length} bytes are too few for a safetensors file; is the download complete?");
        var json = new byte[SafetensorsHeader.ReadLength(path, prefix[..SafetensorsHeader.Prefix], _length)]; // never more than the file holds
        ReadAt(SafetensorsHeader.Prefix, json);
        var header = SafetensorsHeader.Parse(path, json, _length);
        (Entries, Metadata) = (header.Entries, header.Metadata);
    }

    /// <summary>The path given to <see cref="Open"/>.</summary>
    public string Path { get; }

    /// <summary>Every tensor of the file, in the order of its data.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Entries { get; }

    /// <summary>Free-form pairs of the header (<c>__metadata__</c>); empty when there are none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file and checks its whole header: sizes, offsets, names. Nothing is allocated beyond the header and its parse.</summary>
    /// <exception cref="UserException">The file is missing, is not safetensors, or breaks a rule of the format; one line saying which.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
            throw new UserException($"{path}: is a folder; name a .safetensors file");
        SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.RandomAccess);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new UserException(problem is FileNotFoundException or DirectoryNotFoundException ? $"{path}: no such file" : $"{path}: cannot be opened: {problem.Message}", problem);
        }

        try
        {
            return new SafetensorsFile(path, handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>The entry of a tensor.</summary>
    /// <exception cref="UserException">No tensor has that name.</exception>
    public TensorEntry Entry(string name) => Entries.TryGetValue(name, out var entry)
        ? entry
        : throw new UserException($"{Path}: no tensor {Quote.Name(name)}{Quote.Nearest(name, Entries.Keys)}");

    /// <summary>Copies a whole tensor; <paramref name="into"/> is exactly <see cref="TensorEntry.ByteCount"/> long.</summary>
    /// <exception cref="UserException">No such tensor, or the file changed since it was opened.</exception>
    public void Read(string name, Span<byte> into)
    {
        var entry = Entry(name);
        if (into.Length != entry.ByteCount)
            throw new ArgumentException($"Tensor {Quote.Name(name)} has {entry.ByteCount} bytes; {into.Length} were given", nameof(into));
        Read(name, 0, into);
    }

    /// <summary>Copies a part of a tensor, from byte <paramref name="start"/> of it; for tensors beyond 2 GiB, or to read in pieces.</summary>
    /// <exception cref="UserException">No such tensor, or the file changed since it was opened.</exception>
    public void Read(string name, long start, Span<byte> into)
    {
        var entry = Entry(name);
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, entry.ByteCount - into.Length);
        ReadAt(entry.Offset + start, into);
        CheckUnchanged();
    }

    /// <summary>A tensor's bytes in place, without a copy, until the file is disposed. Trusted files only: see the remarks of the class.</summary>
    /// <exception cref="UserException">No such tensor, or the file changed since it was opened.</exception>
    public unsafe ReadOnlySpan<byte> Map(string name)
    {
        var entry = Entry(name);
        if (entry.ByteCount > int.MaxValue)
            throw new ArgumentException($"Tensor {Quote.Name(name)} has {entry.ByteCount} bytes, too many for one span; read it in pieces", nameof(name));
        if (entry.ByteCount == 0)
            return [];
        lock (_mapLock)
        {
            _map ??= MemoryMappedFile.CreateFromFile(_handle, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            _view ??= _map.CreateViewAccessor(0, _length, MemoryMappedFileAccess.Read);
        }

        CheckUnchanged(); // after mapping: what was cut off before now is reported, not touched
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _view.SafeMemoryMappedViewHandle.ReleasePointer(); // the view itself is released in Dispose
        return new ReadOnlySpan<byte>(start + _view.PointerOffset + entry.Offset, (int)entry.ByteCount);
    }

    /// <summary>Counts what is not an ordinary number in a tensor. Types that are not floating point have none.</summary>
    public TensorCensus Census(string name)
    {
        var entry = Entry(name);
        if (!DType.TryParse(entry.StoredType, out var type) || !type.IsFloating)
            return new TensorCensus(entry.Count, 0, 0, 0);
        var buffer = new byte[(int)Math.Min(entry.ByteCount, 1 << 20)];
        var total = default(TensorCensus);
        for (long at = 0; at < entry.ByteCount; at += buffer.Length)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, entry.ByteCount - at));
            Read(name, at, part);
            total += TensorCensus.Of(type, part);
        }

        return total;
    }

    /// <summary>Strict mode: reads every floating-point tensor and refuses the first with a NaN or an infinity.</summary>
    public void RefuseNonFinite()
    {
        foreach (var (name, entry) in Entries)
            Census(name).RefuseNonFinite(entry);
    }

    /// <summary>Closes the file and the map, if any; spans given by <see cref="Map"/> end here.</summary>
    public void Dispose()
    {
        _view?.Dispose();
        _map?.Dispose();
        _handle.Dispose();
    }

    private void ReadAt(long offset, Span<byte> into)
    {
        try
        {
            while (!into.IsEmpty)
            {
                var n = RandomAccess.Read(_handle, into, offset);
                if (n == 0)
                    throw new UserException($"{Path}: was cut short while being read: byte {offset} of {_length} is gone");
                into = into[n..];
                offset += n;
            }
        }
        catch (IOException problem)
        {
            throw new UserException($"{Path}: cannot be read: {problem.Message}", problem);
        }
    }

    private void CheckUnchanged()
    {
        if (RandomAccess.GetLength(_handle) != _length || File.GetLastWriteTimeUtc(_handle) != _written)
            throw new UserException($"{Path}: was changed while being read; open it again when whoever writes it is done");
    }
}
