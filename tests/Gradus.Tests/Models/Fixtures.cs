using Gradus.Engine.Files;
using Gradus.Engine.Tensors;

namespace Gradus.Tests.Models;

/// <summary>Tensors of a committed safetensors fixture, born in the current scope.</summary>
internal sealed class Fixture(string path) : IDisposable
{
    private readonly SafetensorsFile _file = SafetensorsFile.Open(Repo.Fixture(path));

    public IEnumerable<string> Names => _file.Entries.Keys;

    public Tensor this[string name]
    {
        get
        {
            var entry = _file.Entry(name);
            var bytes = new byte[entry.ByteCount];
            _file.Read(name, bytes);
            return Tensor.FromBytes(bytes, entry.DType, entry.Shape);
        }
    }

    public void Dispose() => _file.Dispose();
}
