using System.Globalization;

namespace Gradus.Text.Tokenizers.Chat;

/// <summary>What one rendering may still use up.</summary>
internal sealed class Budget(ChatLimits limits, int messages = 0, long inputBytes = 0)
{
    private readonly long _allSteps = limits.Steps + inputBytes + (limits.StepsPerMessage * messages);
    private readonly long _allMemory = limits.Memory + (limits.MemoryPerInputByte * inputBytes);
    private long _steps = limits.Steps + inputBytes + (limits.StepsPerMessage * messages);
    private long _memory = limits.Memory + (limits.MemoryPerInputByte * inputBytes);
    private int _depth;

    public ChatLimits Limits => limits;

    public void Step()
    {
        if (--_steps < 0)
            throw TooLong();
    }

    /// <summary>Work over <paramref name="length"/> characters: a step for every 64.</summary>
    public void Scan(long length)
    {
        _steps -= 1 + (length >> 6);
        if (_steps < 0)
            throw TooLong();
    }

    /// <summary>Work of <paramref name="count"/> operations.</summary>
    public void Steps(long count)
    {
        _steps -= count;
        if (_steps < 0)
            throw TooLong();
    }

    /// <summary>Memory about to be used; asked before it is.</summary>
    public void Take(long bytes)
    {
        _memory -= bytes + 16;
        if (bytes < 0 || _memory < 0)
            throw new TemplateFault(string.Create(CultureInfo.InvariantCulture, $"the template makes more than {_allMemory >> 20} MB of text and lists; that is the limit"));
        Scan(bytes);
    }

    public void Enter()
    {
        if (++_depth > limits.CallDepth || !System.Runtime.CompilerServices.RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new TemplateFault($"macros call each other more than {limits.CallDepth} deep; that is the limit");
    }

    public void Leave() => _depth--;

    private TemplateFault TooLong() => new(string.Create(CultureInfo.InvariantCulture, $"the template takes more than {_allSteps:N0} steps; that is the limit"));
}
