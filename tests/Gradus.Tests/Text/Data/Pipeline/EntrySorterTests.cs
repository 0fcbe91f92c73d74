using Gradus.Foundation.Files;
using Gradus.Text.Data.Pipeline;

namespace Gradus.Tests.Text.Data.Pipeline;

public sealed class EntrySorterTests : IDisposable
{
    private readonly TempFolder _temp = Repo.Temp();

    public void Dispose() => _temp.Dispose();

    [Theory]
    [InlineData(0, 16)]
    [InlineData(15, 16)]
    [InlineData(1000, 16)] // 63 runs
    [InlineData(5000, 16)] // more runs than are merged at once
    public void Entries_come_out_in_order_whatever_fits_in_memory(int count, int capacity)
    {
        var draws = new Counter(1, "entries");
        var entries = Enumerable.Range(0, count).Select(i => new IndexEntry((ulong)draws.Below(5 * (ulong)i, 50), draws.UInt64(1_000_000 + (ulong)i) >> 62, (uint)draws.Below(5 * (ulong)i + 1, 3), (uint)i, 7, 8)).ToList();
        using (var sorter = new EntrySorter(_temp.Path, "x", capacity))
        {
            foreach (var entry in entries)
                sorter.Add(entry);
            sorter.WriteSorted(_temp.File("sorted"));
        }

        Assert.Equal(entries.Order(), EntrySorter.ReadFile(_temp.File("sorted")));
        Assert.Equal(["sorted"], Directory.GetFiles(_temp.Path).Select(Path.GetFileName));
        if (count == 0)
            return;
        File.WriteAllBytes(_temp.File("sorted"), File.ReadAllBytes(_temp.File("sorted"))[..^1]);
        Assert.Contains("damaged", Assert.Throws<UserException>(() => EntrySorter.ReadFile(_temp.File("sorted")).Count()).Message);
    }
}
