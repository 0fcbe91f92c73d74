using System.Diagnostics;
using System.Runtime.Intrinsics;

namespace Gradus.Tests.Foundation.Kernels;

/// <summary>The tests of this room, and of the operations made of its kernels, again on the processors other people have.</summary>
public class SimdMatrixTests
{
    private const string Expected = "GRADUS_TEST_VECTOR_BITS";

    private static int WidestBits => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : Vector128.IsHardwareAccelerated ? 128 : 0;

    [Fact]
    public void The_switches_of_the_matrix_work()
    {
        var expected = Environment.GetEnvironmentVariable(Expected);
        if (expected is not null) Assert.Equal(expected, WidestBits.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    [Theory]
    // The switch was renamed between .NET 8 and 10; unknown ones are ignored.
    [InlineData(256, "DOTNET_EnableAVX512F=0 DOTNET_EnableAVX512=0")]
    [InlineData(128, "DOTNET_EnableAVX512F=0 DOTNET_EnableAVX512=0 DOTNET_EnableAVX2=0 DOTNET_EnableAVX=0")]
    [InlineData(0, "DOTNET_EnableHWIntrinsic=0")]
    public async Task Every_kernel_test_passes_with(int bits, string switches)
    {
        if (Environment.GetEnvironmentVariable(Expected) is not null) return; // the child itself
        if (WidestBits < bits) Assert.Skip($"this processor has no {bits}-bit vectors");
        var start = new ProcessStartInfo(Environment.ProcessPath!) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        // Under `dotnet Gradus.Tests.dll` the process is the host, not the tests.
        if (System.IO.Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(SimdMatrixTests).Assembly.Location);
        foreach (var argument in new[] { "-class", "Gradus.Tests.Foundation.Kernels.*", "-class", "Gradus.Tests.Engine.Ops.ElementwiseTests", "-class", "Gradus.Tests.Engine.Ops.HeadLossTests", "-class", "Gradus.Tests.Engine.Ops.LinearTests", "-class", "Gradus.Tests.Training.Optim.MuonTests", "-noColor" }) start.ArgumentList.Add(argument);
        foreach (var pair in switches.Split(' ')) start.Environment[pair.Split('=')[0]] = pair.Split('=')[1];
        start.Environment[Expected] = bits.ToString(System.Globalization.CultureInfo.InvariantCulture);
        using var child = Process.Start(start)!;
        var cancel = TestContext.Current.CancellationToken;
        var errors = child.StandardError.ReadToEndAsync(cancel);
        var output = await child.StandardOutput.ReadToEndAsync(cancel) + await errors;
        await child.WaitForExitAsync(cancel);
        Assert.True(child.ExitCode == 0, output);
        Assert.Matches("Total: [1-9][0-9]*, Errors: 0, Failed: 0", output);
    }
}
