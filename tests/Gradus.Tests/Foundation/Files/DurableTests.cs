using Gradus.Foundation.Files;

namespace Gradus.Tests.Foundation.Files;

public sealed class DurableTests : IDisposable
{
    private readonly TempFolder _folder = Repo.Temp();

    public void Dispose()
    {
        Failpoint.Arm(null);
        _folder.Dispose();
    }

    [Fact]
    public void A_file_is_replaced_whole_and_nothing_else_stays()
    {
        var path = _folder.File("deep/er/file.txt");
        Durable.WriteText(path, "old, and longer than the new");
        Durable.WriteText(path, "new ünd");
        Assert.Equal("new ünd", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("throw", typeof(InvalidOperationException))]
    [InlineData("enospc", typeof(IOException))]
    [InlineData("eio", typeof(IOException))]
    public void Any_operation_that_fails_leaves_the_old_file_or_the_new_one(string fault, Type error)
    {
        var path = _folder.File("file.txt");
        for (var n = 1; ; n++)
        {
            Durable.WriteText(path, "old");
            Failpoint.Arm($"durable#{n}:{fault}");
            var thrown = Record.Exception(() => Durable.WriteText(path, "new"));
            var fired = Failpoint.Fired;
            Failpoint.Arm(null);
            if (fired == 0)
            {
                Assert.Null(thrown);
                Assert.True(n > 4, "the loop met too few operations to prove anything");
                break;
            }
            Assert.IsType(error, thrown);
            // Only the last operation, the folder's fsync, comes after the rename; then the caller is told, though the new bytes are in place.
            Assert.Contains(File.ReadAllText(path), thrown.Message.Contains("folder", StringComparison.Ordinal) ? ["new"] : new[] { "old" });
            Assert.Single(Directory.GetFiles(_folder.Path));
        }
    }

    [Fact]
    public void A_writer_that_throws_leaves_the_old_file()
    {
        var path = _folder.File("file.txt");
        Durable.WriteText(path, "old");
        Assert.Throws<FormatException>(() => Durable.WriteFile(path, stream =>
        {
            stream.Write(new byte[100_000]);
            throw new FormatException();
        }));
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_folder_is_published_whole_or_not_at_all()
    {
        var (temporary, final) = (_folder.File("step-5.tmp"), _folder.File("step-5"));
        Directory.CreateDirectory(Path.Combine(temporary, "inner"));
        File.WriteAllText(Path.Combine(temporary, "inner", "weights"), "w");
        Failpoint.Arm("durable.fsync#1:eio");
        Assert.Throws<IOException>(() => Durable.PublishFolder(temporary, final));
        Assert.Equal(1, Failpoint.Fired);
        Assert.False(Directory.Exists(final));
        Failpoint.Arm(null);
        Durable.PublishFolder(temporary, final);
        Assert.Equal("w", File.ReadAllText(Path.Combine(final, "inner", "weights")));
        Assert.False(Directory.Exists(temporary));
        Directory.CreateDirectory(temporary);
        Assert.Throws<IOException>(() => Durable.PublishFolder(temporary, final));
    }

    [Fact]
    public void Writing_through_a_link_replaces_the_target()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need rights on Windows");
        var (target, link) = (_folder.File("target"), _folder.File("link"));
        Durable.WriteText(target, "old");
        File.CreateSymbolicLink(link, target);
        Durable.WriteText(link, "new");
        Assert.Equal("new", File.ReadAllText(target));
        Assert.NotNull(File.ResolveLinkTarget(link, false));
    }

    [Fact]
    public void A_missing_file_or_a_folder_in_its_place_is_named()
    {
        Assert.Contains(_folder.Path, Assert.Throws<IOException>(() => Durable.WriteText(_folder.Path, "x")).Message, StringComparison.Ordinal);
        Assert.Contains("absent", Assert.ThrowsAny<IOException>(() => Durable.SyncFolder(_folder.File("absent"))).Message, StringComparison.Ordinal);
        Assert.Contains("absent", Assert.ThrowsAny<IOException>(() => Durable.SyncFile(_folder.File("absent"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("durable")]
    [InlineData(":kill")]
    [InlineData("durable#0:kill")]
    [InlineData("durable#x:kill")]
    [InlineData("durable:explode")]
    [InlineData("durable:7")]
    public void A_failpoint_that_cannot_be_read_is_refused(string spec) => Assert.Throws<UserException>(() => Failpoint.Arm(spec));

    [Fact]
    public void Leftovers_of_killed_writers_are_removed()
    {
        Directory.CreateDirectory(_folder.File("a"));
        File.WriteAllText(_folder.File("a/b.txt.12-1.gradus-tmp"), "part");
        File.WriteAllText(_folder.File("a/b.txt"), "whole");
        Assert.Equal(1, Durable.RemoveLeftovers(_folder.Path));
        Assert.Equal([_folder.File("a/b.txt")], Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories));
    }
}
