using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Gradus.Engine;
using Gradus.Engine.Groups;
using Gradus.Engine.Tensors;

namespace Gradus.Tests.Engine.Groups;

public class ProcessGroupTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Two_processes_sum_gather_and_broadcast()
    {
        Assert.SkipUnless(EngineInfo.HasProcessGroups, "this libtorch was built without c10d");
        var port = FreePort().ToString(CultureInfo.InvariantCulture);
        using var zero = Children.Start("all-reduce", null, port, "0");
        using var one = Children.Start("all-reduce", null, port, "1");
        var said = await Task.WhenAll(zero.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), one.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
        Assert.Equal(["sum 11,22,33 min 1,2,3 gathered 1,2,3;10,20,30 broadcast 10,20,30", "sum 11,22,33 min 1,2,3 gathered 1,2,3;10,20,30 broadcast 10,20,30"], said.Select(s => s.Trim()));
    }

    [Fact]
    public void A_peer_that_never_comes_is_an_error_within_the_time_out()
    {
        Assert.SkipUnless(EngineInfo.HasProcessGroups, "this libtorch was built without c10d");
        var e = Assert.Throws<EngineException>(() => new ProcessGroup("gloo", "127.0.0.1", FreePort(), 0, 2, TimeSpan.FromSeconds(1)));
        Assert.Contains("rank 0 of 2", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_backend_is_named() =>
        Assert.Contains("'smoke-signals'", Assert.Throws<EngineException>(() => new ProcessGroup("smoke-signals", "127.0.0.1", FreePort(), 0, 1, s_patience)).Message, StringComparison.Ordinal);

    internal static int Child(string[] args)
    {
        using var scope = Tensor.Scope();
        var (port, rank) = (int.Parse(args[0], CultureInfo.InvariantCulture), int.Parse(args[1], CultureInfo.InvariantCulture));
        using var group = new ProcessGroup("gloo", "127.0.0.1", port, rank, 2, s_patience);
        var mine = rank == 0 ? Tensor.From([1f, 2f, 3f], 3) : Tensor.From([10f, 20f, 30f], 3);
        Tensor sum = mine.Clone(), min = mine.Clone(), sent = mine.Clone();
        group.AllReduce(sum);
        group.AllReduce(min, "min");
        group.Broadcast(sent, root: 1);
        var gathered = group.AllGather(mine);
        System.Console.WriteLine($"sum {Text(sum)} min {Text(min)} gathered {string.Join(";", gathered.Select(Text))} broadcast {Text(sent)}");
        group.Barrier();
        return 0;
    }

    private static string Text(Tensor t) => string.Join(",", t.ToArray<float>().Select(v => v.ToString(CultureInfo.InvariantCulture)));

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
