using Gradus.Foundation.Files;

namespace Gradus.Tests.Foundation.Files;

public sealed class HashingTests
{
    [Fact]
    public void Sha256_of_abc_is_the_published_one()
    {
        const string Expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-4 example
        using var folder = Repo.Temp();
        File.WriteAllText(folder.File("abc"), "abc");
        Assert.Equal(Expected, Hashing.Sha256("abc"u8));
        Assert.Equal(Expected, Hashing.Sha256File(folder.File("abc")));
    }

    [Fact]
    public void Fnv1a64_gives_the_published_answers()
    {
        Assert.Equal(0xcbf29ce484222325UL, Hashing.Fnv1a64(""u8));
        Assert.Equal(0xaf63dc4c8601ec8cUL, Hashing.Fnv1a64("a"u8));
        Assert.Equal(0x85944171f73967e8UL, Hashing.Fnv1a64("foobar"u8));
    }

    [Theory]
    [InlineData("leanring_rate", "learning_rate")]
    [InlineData("LearningRate", "learning_rate")]
    [InlineData("learning-rate", "learning_rate")]
    [InlineData("stpes", "steps")]
    [InlineData("lr", "learning_rate")]
    [InlineData("decay", "weight_decay")]
    [InlineData("xy", null)]
    [InlineData("", null)]
    public void The_nearest_name_is_found_or_none(string typed, string? expected) =>
        Assert.Equal(expected, NearestName.Of(typed, ["learning_rate", "steps", "weight_decay"]));

    [Fact]
    public void Distance_counts_a_swap_as_one()
    {
        Assert.Equal(1, NearestName.Distance("ab", "ba"));
        Assert.Equal(3, NearestName.Distance("kitten", "sitting"));
        Assert.Equal(3, NearestName.Distance("", "abc"));
    }
}
