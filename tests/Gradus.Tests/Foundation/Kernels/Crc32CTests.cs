using Gradus.Foundation.Kernels;

namespace Gradus.Tests.Foundation.Kernels;

public class Crc32CTests
{
    public static TheoryData<byte[], uint> Published => new()
    {
        // RFC 3720, appendix B.4, and the check value of the CRC catalogue.
        { new byte[32], 0x8A9136AA },
        { Enumerable.Repeat((byte)0xFF, 32).ToArray(), 0x62A8AB43 },
        { Enumerable.Range(0, 32).Select(i => (byte)i).ToArray(), 0x46DD794E },
        { Enumerable.Range(0, 32).Select(i => (byte)(31 - i)).ToArray(), 0x113FDB5C },
        { "123456789"u8.ToArray(), 0xE3069283 },
        { [], 0 },
    };

    [Theory]
    [MemberData(nameof(Published))]
    public void Published_answers_come_out_of_both_paths(byte[] data, uint expected)
    {
        Assert.Equal(expected, Crc32C.Of(data));
        Assert.Equal(expected, Crc32C.AppendScalar(0, data));
    }

    [Fact]
    public void Both_paths_agree_at_every_length_and_split()
    {
        var data = new byte[100];
        new Random(3).NextBytes(data);
        for (var length = 0; length <= data.Length; length++)
        {
            var whole = Crc32C.Of(data.AsSpan(0, length));
            Assert.Equal(Crc32C.AppendScalar(0, data.AsSpan(0, length)), whole);
            var cut = length / 3;
            Assert.Equal(whole, Crc32C.Append(Crc32C.Of(data.AsSpan(0, cut)), data.AsSpan(cut, length - cut)));
        }
    }

    [Fact]
    public void The_mask_is_undone_and_is_not_the_identity()
    {
        Assert.Equal(0xA282EAD8u, Crc32C.Mask(0));
        foreach (var crc in new uint[] { 0, 1, 0x8A9136AA, uint.MaxValue })
        {
            Assert.Equal(crc, Crc32C.Unmask(Crc32C.Mask(crc)));
            Assert.NotEqual(crc, Crc32C.Mask(crc));
        }
    }
}
