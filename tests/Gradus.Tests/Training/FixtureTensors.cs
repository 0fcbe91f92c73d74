using Gradus.Engine.Files;
using Gradus.Engine.Tensors;

namespace Gradus.Tests.Training;

/// <summary>The tensors of a fixture file.</summary>
internal static class FixtureTensors
{
    /// <summary>All of them, as tensors of the current scope.</summary>
    public static Dictionary<string, Tensor> Read(string path)
    {
        using var file = SafetensorsFile.Open(Repo.Fixture(path));
        return file.Entries.Values.ToDictionary(e => e.Name, e =>
        {
            var bytes = new byte[e.ByteCount];
            file.Read(e.Name, bytes);
            return Tensor.FromBytes(bytes, e.DType, e.Shape);
        });
    }

    /// <summary>Largest absolute difference.</summary>
    public static double Distance(Tensor a, Tensor b) => a.Detach().Sub(b).Abs().Max().Item();
}
