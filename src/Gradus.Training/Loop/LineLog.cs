using System.Text;
using Gradus.Foundation.Files;

namespace Gradus.Training.Loop;

/// <summary>
/// A file of JSON lines that a resumed run continues as if it had never stopped: it is cut back to what belongs to the checkpoint,
/// then appended to. Each line reaches the operating system at once; the disk when a checkpoint is saved.
/// </summary>
internal sealed class LineLog : IDisposable
{
    private readonly FileStream _file;

    /// <param name="path">The file; made when missing.</param>
    /// <param name="bytes">How much of it belongs to the steps done so far.</param>
    /// <exception cref="UserException">Some of that is missing: a gap could not be filled again.</exception>
    public LineLog(string path, long bytes)
    {
        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, 1);
        if (_file.Length < bytes)
        {
            var length = _file.Length;
            _file.Dispose();
            throw new UserException(FormattableString.Invariant($"{path}: {length} bytes, but the checkpoint was saved when it had {bytes}; put the file back, or start the run anew"));
        }
        _file.SetLength(bytes);
        _file.Seek(0, SeekOrigin.End);
    }

    public void Append(string line) => _file.Write(Encoding.UTF8.GetBytes(line + "\n"));

    /// <summary>Forces everything to the disk and returns the length.</summary>
    public long Sync()
    {
        _file.Flush(flushToDisk: true);
        return _file.Length;
    }

    public void Dispose() => _file.Dispose();
}
