using Gradus.Foundation.Files;
using Gradus.Foundation.Kernels;

namespace Gradus.Tests.Foundation.Kernels;

public class ByteMasksTests
{
    [Fact]
    [Row("B2")]
    public void The_vectors_see_what_one_byte_after_the_other_shows()
    {
        var draws = new Counter(5, "masks");
        for (var round = 0; round < 2000; round++)
        {
            var text = new byte[draws.Below((ulong)(200 * round), 80)];
            for (var i = 0; i < text.Length; i++)
                text[i] = (byte)draws.UInt32((ulong)(200 * round + 1 + i));
            Assert.Equal(ByteMasks.OfScalar(text), ByteMasks.Of(text));
        }

        for (var b = 0; b < 256; b++)
        {
            var masks = ByteMasks.Of([(byte)b]);
            Assert.Equal(ByteMasks.OfScalar([(byte)b]), masks);
            Assert.Equal(char.IsAscii((char)b) && char.IsWhiteSpace((char)b) && b is not (>= 0x1C and <= 0x1F) ? 1UL : 0, masks.Space);
        }
    }
}
