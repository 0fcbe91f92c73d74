using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;

namespace Gradus.Tests.Engine.Ops;

public class OneDnnTests
{
    [Fact]
    public unsafe void Products_of_more_shapes_than_are_kept_are_all_right_and_the_first_is_made_again()
    {
        Assert.SkipUnless(OneDnn.IsAvailable, "no oneDNN here");
        // 1 to 1500 rows of two numbers, times a fixed 2 × 1: (1, 2)·(3, 4) = 11 in every row.
        var (a, b, c) = (new float[3000], new float[] { 3, 4 }, new float[1500]);
        for (var i = 0; i < a.Length; i++) a[i] = 1 + i % 2;
        fixed (float* ap = a, bp = b, cp = c)
        {
            foreach (var rows in Enumerable.Range(1, 1500).Append(1).Append(2).Append(1500))
            {
                Array.Clear(c);
                Assert.True(OneDnn.TryRun(OneDnn.Problem.Plain(rows, 2, 1, false, false, DType.Float32, DType.Float32), ap, bp, cp), $"{rows} rows");
                Assert.Equal((11f, 11f), (c[0], c[rows - 1]));
                Assert.True(rows == 1500 || c[rows] == 0);
            }
        }
    }
}
