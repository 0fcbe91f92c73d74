using Gradus.Text.Data.Compression;

namespace Gradus.Text.Data.Sources;

/// <summary>
/// Opens one path of a source: decompressed, and when it is an archive, file by file. Damage ends a file (or the archive) and is a bad
/// record like any other: it stops, or what was read before it stays.
/// </summary>
internal sealed class SourceWalk(SourceOptions source, string path, SourceReport report, bool opensArchives, int archiveDepth, bool readsPath) : IArchiveObserver
{
    private Exception? _reported;

    public IEnumerable<T> Read<T>(Func<SourceFile, IEnumerable<T>> read) => Guarded(ReadAll(read), path);

    void IArchiveObserver.Refused(string entry, string why) => Damage(new DamagedFileException($"{path}!{entry}: {why}."), $"{path}!{entry}");

    void IArchiveObserver.NoFile(string rule) => report.LeaveOut($"archive: {rule}");

    private IEnumerable<T> ReadAll<T>(Func<SourceFile, IEnumerable<T>> read)
    {
        if (readsPath)
        {
            CompressedFile.OpenPlain(path).Dispose(); // a missing file says so in the words of all others
            foreach (var item in read(new SourceFile(source, path, path, Stream.Null, report)))
                yield return item;
            yield break;
        }

        using var disk = CompressedFile.OpenPlain(path);
        if (opensArchives && Archive.IsZip(disk))
        {
            foreach (var item in Entries(Archive.Zip(disk, path, this), path, archiveDepth, read))
                yield return item;
            yield break;
        }

        var stream = CompressedFile.Decompress(disk, path, () => disk.Position);
        using var owned = stream;
        if (opensArchives && Archive.IsTar(ref stream))
        {
            foreach (var item in Entries(Archive.Tar(stream, path, this), path, archiveDepth, read))
                yield return item;
            yield break;
        }

        foreach (var item in read(new SourceFile(source, path, ReferenceEquals(stream, disk) ? path : null, stream, report)))
            yield return item;
    }

    private IEnumerable<T> Entries<T>(IEnumerable<ArchiveEntry> entries, string archive, int depth, Func<SourceFile, IEnumerable<T>> read)
    {
        foreach (var entry in entries)
        {
            var (label, plain) = ($"{archive}!{entry.Name}", CompressedFile.PlainName(entry.Name));
            if (Archive.IsNamed(plain) || plain.EndsWith("_data", StringComparison.Ordinal))
            {
                if (depth <= 1)
                    Damage(new DamagedFileException($"{label}: an archive inside an archive is not opened; unpack the outer one."), label);
                else
                    foreach (var item in Guarded(Nested(entry, label, depth - 1, read), label))
                        yield return item;
                continue;
            }

            if (!SourceFiles.HasEnding(entry.Name, source.FileEndings))
            {
                report.LeaveOut("archive: other file");
                continue;
            }

            foreach (var item in Guarded(One(entry, label, read), label))
                yield return item;
        }
    }

    private IEnumerable<T> One<T>(ArchiveEntry entry, string label, Func<SourceFile, IEnumerable<T>> read)
    {
        var counted = new CountedStream(entry.Open());
        using var bytes = CompressedFile.Decompress(counted, label, () => counted.Count);
        foreach (var item in read(new SourceFile(source, label, null, bytes, report)))
            yield return item;
    }

    private IEnumerable<T> Nested<T>(ArchiveEntry entry, string label, int depth, Func<SourceFile, IEnumerable<T>> read)
    {
        var counted = new CountedStream(entry.Open());
        var bytes = CompressedFile.Decompress(counted, label, () => counted.Count);
        using var owned = bytes;
        if (!Archive.IsTar(ref bytes))
            throw new DamagedFileException($"{label}: is no tar archive.");
        foreach (var item in Entries(Archive.Tar(bytes, label, this), label, depth, read))
            yield return item;
    }

    /// <summary>The items up to the first damage, which is reported, once.</summary>
    private IEnumerable<T> Guarded<T>(IEnumerable<T> items, string label)
    {
        using var each = items.GetEnumerator();
        while (true)
        {
            try
            {
                if (!each.MoveNext())
                    yield break;
            }
            catch (DamagedFileException e) when (source.BadRecords != BadRecords.Stop)
            {
                if (!ReferenceEquals(e, _reported))
                    Damage(e, label);
                yield break;
            }

            yield return each.Current;
        }
    }

    private void Damage(DamagedFileException e, string label)
    {
        if (source.BadRecords == BadRecords.Stop)
            throw e;
        _reported = e;
        report.Skip(e.Message);
        if (source.BadRecords == BadRecords.Quarantine)
            report.Keep(new QuarantinedRecord { File = label, Place = label, Offset = -1, Reason = e.Message, Bytes = 0 }, default);
    }
}
