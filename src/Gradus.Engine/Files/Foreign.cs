using System.Buffers.Binary;

namespace Gradus.Engine.Files;

/// <summary>Recognises files of other kinds that people give by mistake, and says what to do. Nothing of them is ever executed or unpacked.</summary>
internal static class Foreign
{
    private const string Convert =
        "convert it where it came from with safetensors.torch.save_file(state_dict, \"model.safetensors\"), or get the repository's .safetensors file";

    /// <summary>What a file is by its first 16 bytes (fewer when it is shorter), as the rest of a sentence; null when it may be safetensors.</summary>
    public static string? Advice(string path, ReadOnlySpan<byte> start)
    {
        // A plausible length and '{' decide first: what follows must not refuse a file whose header length spells "PK".
        if (start.Length > 8 && start[8] == (byte)'{' && BinaryPrimitives.ReadUInt64LittleEndian(start) <= SafetensorsHeader.Longest)
            return null;
        var extension = Path.GetExtension(path);
        if (start.StartsWith("PK\x03\x04"u8))
        {
            return extension is ".npz"
                ? "is a NumPy archive (.npz), not safetensors"
                : $"is a zip archive, as torch.save writes; the pickle inside can run code and is not opened: {Convert}";
        }

        if (start.Length > 1 && start[0] == 0x80 && start[1] is >= 2 and <= 5) // pickle protocols 2 to 5
            return $"is a Python pickle; a pickle can run code and is not opened: {Convert}";
        if (start.StartsWith("GGUF"u8))
            return "is a GGUF file, not safetensors";
        if (start.StartsWith("version https://"u8))
            return "is a Git LFS pointer, not the file itself; run 'git lfs pull', or download it again";
        if (start.StartsWith("<!"u8) || start.StartsWith("<html"u8) || start.StartsWith("<?xml"u8))
            return "is a web page, not safetensors; the download led to an error or login page";
        if (start.StartsWith<byte>([0x1F, 0x8B]))
            return "is gzip-compressed; unpack it first";
        if (start.StartsWith<byte>([0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y']))
            return "is a NumPy array (.npy), not safetensors";
        if (start.Length > 0 && start[0] == (byte)'{')
            return "is JSON text, not safetensors; name the .safetensors file, or the folder it is in";
        return extension is ".bin" or ".pt" or ".pth" or ".ckpt" or ".pkl"
            ? $"is not safetensors, and {extension} files are usually pickles, which can run code and are not opened: {Convert}"
            : null;
    }
}
