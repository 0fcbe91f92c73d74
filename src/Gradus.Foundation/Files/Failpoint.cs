using System.Globalization;

namespace Gradus.Foundation.Files;

/// <summary>
/// Faults on demand, for tests that kill a process in the middle of a save. <c>GRADUS_FAILPOINT=name[#n]:kill|stop|throw|enospc|eio</c>
/// fires at the n-th visit (default the first) of the place <c>name</c>, or of any place below it (<c>durable</c> counts
/// <c>durable.write</c>, <c>durable.fsync</c> …). Unset, a visit is one null check.
/// </summary>
public static class Failpoint
{
    private static readonly Lock s_gate = new();
    private static Spec? s_armed = Parse(Environment.GetEnvironmentVariable("GRADUS_FAILPOINT"));

    private enum Fault { Kill, Stop, Throw, Enospc, Eio }

    /// <summary>How often an armed fault has fired. A fault test asserts that this is above zero, else it proves nothing.</summary>
    public static int Fired { get; private set; }

    /// <summary>Marks a named place. Names are dotted, room first: <c>checkpoint.before-manifest</c>.</summary>
    public static void Visit(string name)
    {
        if (s_armed is not { } spec || !(name == spec.Name || name.StartsWith(spec.Name + ".", StringComparison.Ordinal)))
            return;
        lock (s_gate)
        {
            if (++spec.Visits != spec.At)
                return;
            Fired++;
        }
        switch (spec.Fault)
        {
            case Fault.Kill: Posix.SignalSelf(Posix.SigKill); break;
            case Fault.Stop: Posix.SignalSelf(Posix.SigStop); break;
            case Fault.Enospc: throw new IOException($"No space left on device (failpoint {name})", 28);
            case Fault.Eio: throw new IOException($"Input/output error (failpoint {name})", 5);
            default: throw new InvalidOperationException($"failpoint {name}");
        }
    }

    /// <summary>Arms or (null) disarms for this process: tests only.</summary>
    internal static void Arm(string? spec)
    {
        s_armed = Parse(spec);
        Fired = 0;
    }

    private static Spec? Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        var colon = text.LastIndexOf(':');
        var place = colon > 0 ? text[..colon].Split('#') : [];
        var at = 1;
        if (place.Length is not (1 or 2) || place[0].Length == 0
            || !Enum.TryParse<Fault>(text[(colon + 1)..], ignoreCase: true, out var fault) || !Enum.IsDefined(fault)
            || (place.Length == 2 && (!int.TryParse(place[1], NumberStyles.None, CultureInfo.InvariantCulture, out at) || at < 1)))
            throw new UserException($"GRADUS_FAILPOINT={text}: expected name[#n]:kill|stop|throw|enospc|eio");
        return new Spec(place[0], at, fault);
    }

    private sealed class Spec(string name, int at, Fault fault)
    {
        public string Name { get; } = name;
        public int At { get; } = at;
        public Fault Fault { get; } = fault;
        public int Visits { get; set; }
    }
}
