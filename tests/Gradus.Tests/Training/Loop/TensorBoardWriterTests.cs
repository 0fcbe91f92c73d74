using Gradus.Training.Loop;

namespace Gradus.Tests.Training.Loop;

public class TensorBoardWriterTests
{
    [Fact]
    [Row("G19")]
    public void A_file_is_these_bytes()
    {
        using var folder = Repo.Temp();
        string path;
        using (var writer = new TensorBoardWriter(folder.Path, new Clock(1)))
        {
            path = writer.Path;
            writer.Scalar("loss", 300, 1.5);
        }

        var bytes = File.ReadAllBytes(path);
        // Length 24 and its masked checksum A3 7F 4B 22 open every event file in the world.
        byte[] start = [0x18, 0, 0, 0, 0, 0, 0, 0, 0xA3, 0x7F, 0x4B, 0x22, 0x09, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0x1A, 13, .. "brain.Event:2"u8];
        Assert.Equal(start, bytes[..start.Length]);
        // wall_time 1.0; step 300 = AC 02; summary { value { tag "loss", simple_value 1.5f } }
        byte[] second = [0x09, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0x10, 0xAC, 0x02, 0x2A, 13, 0x0A, 11, 0x0A, 4, .. "loss"u8, 0x15, 0, 0, 0xC0, 0x3F];
        Assert.Equal(second, bytes[(start.Length + 4 + 12)..^4]);
        Assert.StartsWith("events.out.tfevents.0000000001.", Path.GetFileName(path), StringComparison.Ordinal);
    }

    [Fact]
    [Row("G19")]
    public void What_is_written_reads_back_with_its_checksums_and_times()
    {
        using var folder = Repo.Temp();
        using var writer = new TensorBoardWriter(folder.Path, new Clock(1_700_000_000.25));
        writer.Scalars(0, [new("train/loss", 8.31), new("train/rate", 0)]);
        writer.Scalars(long.MaxValue, [new("Güte", double.NaN), new("x", double.NegativeInfinity)]);
        var events = EventFile.Read(writer.Path); // readable while it is written
        Assert.Equal(["brain.Event:2", null, null], events.Select(e => e.Version));
        Assert.All(events, e => Assert.Equal(1_700_000_000.25, e.WallTime));
        Assert.Equal([0, 0, long.MaxValue], events.Select(e => e.Step));
        Assert.Equal([("train/loss", 8.31f), ("train/rate", 0f)], events[1].Scalars);
        Assert.Equal([("Güte", float.NaN), ("x", float.NegativeInfinity)], events[2].Scalars);
    }

    [Fact]
    public void A_resumed_run_writes_a_new_file_that_purges_the_steps_it_repeats()
    {
        using var folder = Repo.Temp();
        string first;
        using (var writer = new TensorBoardWriter(folder.Path, new Clock(5)))
        {
            first = writer.Path;
            writer.Scalar("loss", 120, 1);
        }

        var before = File.ReadAllBytes(first);
        using (var resumed = new TensorBoardWriter(folder.Path, new Clock(5), purgeStep: 100))
        {
            Assert.NotEqual(first, resumed.Path); // the same second and the same process
            resumed.Scalar("loss", 100, 1);
            var events = EventFile.Read(resumed.Path);
            Assert.Equal([(0, false), (100, true), (100, false)], events.Select(e => (e.Step, e.SessionStart)));
        }

        Assert.Equal(before, File.ReadAllBytes(first));
        Assert.Equal(2, Directory.GetFiles(folder.Path).Length);
    }

    [Fact]
    public void A_flipped_bit_is_found_wherever_it_is()
    {
        using var folder = Repo.Temp();
        string path;
        using (var writer = new TensorBoardWriter(folder.Path, new Clock(1)))
        {
            path = writer.Path;
            writer.Scalar("loss", 1, 2);
        }

        var bytes = File.ReadAllBytes(path);
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 4;
            File.WriteAllBytes(path, bytes);
            Assert.Throws<InvalidDataException>(() => EventFile.Read(path));
            bytes[i] ^= 4;
        }
    }

    private sealed class Clock(double seconds) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddSeconds(seconds);
    }
}
