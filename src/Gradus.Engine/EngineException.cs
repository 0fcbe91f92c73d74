namespace Gradus.Engine;

/// <summary>An operator refused its arguments. The message carries operator, argument shapes and, once a module adds it, the path: <c>aten::mm: 3x4 and 5x6 (in layers.3.self_attn.q_proj)</c>.</summary>
public sealed class EngineException(string operation, string reason, Exception? inner = null) : Exception(null, inner)
{
    /// <summary>The operator and the shapes it was given.</summary>
    public string Operation { get; } = operation;

    /// <summary>libtorch's own words, first line.</summary>
    public string Reason { get; } = reason.Split('\n')[0];

    /// <summary>Where in the model, when a module has said so.</summary>
    public string? Path { get; private set; }

    public override string Message => Path is null ? $"{Operation}: {Reason}" : $"{Operation}: {Reason} (in {Path})";

    /// <summary>For exception filters: the innermost module names itself; always false, so the exception keeps flying.</summary>
    public bool At(string path)
    {
        Path ??= path;
        return false;
    }
}

/// <summary>libgradus.so or libtorch is not there; the message says what was tried and what to do.</summary>
public sealed class EngineMissingException(string message) : Exception(message);
