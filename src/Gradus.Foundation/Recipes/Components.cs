using System.Reflection;

namespace Gradus.Foundation.Recipes;

/// <summary>A component: the options record behind <c>kind: …</c>.</summary>
/// <param name="Kind">The word in the recipe.</param>
/// <param name="Type">The sealed options record.</param>
/// <param name="Socket">The abstract record it fills.</param>
/// <param name="Doc">One line, or null.</param>
public sealed record ComponentInfo(string Kind, Type Type, Type Socket, string? Doc);

/// <summary>A socket: the abstract options record of a room.</summary>
/// <param name="Name">The plural that <c>gradus list</c> takes.</param>
/// <param name="Type">The abstract record.</param>
/// <param name="Doc">One line, or null.</param>
public sealed record SocketInfo(string Name, Type Type, string? Doc);

/// <summary>Finds components and sockets by attribute, so that adding a piece touches one file. A socket's own assembly is always searched.</summary>
public static class Components
{
    private static readonly Lock s_gate = new();
    private static readonly HashSet<Assembly> s_seen = [];
    private static readonly Dictionary<Type, SortedDictionary<string, ComponentInfo>> s_bySocket = [];
    private static readonly SortedDictionary<string, SocketInfo> s_sockets = new(StringComparer.Ordinal);

    /// <summary>Every socket of the registered assemblies that recipes fill, by name.</summary>
    public static IReadOnlyList<SocketInfo> Sockets
    {
        get
        {
            lock (s_gate)
                return [.. s_sockets.Values];
        }
    }

    /// <summary>Adds an assembly's components and sockets. A second time does nothing.</summary>
    /// <exception cref="InvalidOperationException">A mistake in the code: a kind twice in a socket, a component that is not sealed or fills no socket.</exception>
    public static void Register(Assembly a)
    {
        ArgumentNullException.ThrowIfNull(a);
        lock (s_gate)
        {
            if (!s_seen.Add(a))
                return;
            foreach (var type in a.GetTypes())
            {
                if (type.GetCustomAttribute<SocketAttribute>() is { InRecipes: true } socket && !s_sockets.TryAdd(socket.Name, new SocketInfo(socket.Name, type, Docs.Of(type))))
                    throw new InvalidOperationException($"{type} and {s_sockets[socket.Name].Type} are both the socket '{socket.Name}'");
                if (type.GetCustomAttribute<ComponentAttribute>() is { } component)
                    Add(component.Kind, type);
            }
        }
    }

    /// <summary>The components of a socket, by kind in ordinal order.</summary>
    public static IReadOnlyList<ComponentInfo> Of(Type socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        Register(socket.Assembly);
        lock (s_gate)
            return s_bySocket.TryGetValue(socket, out var kinds) ? [.. kinds.Values] : [];
    }

    /// <summary>The kind of an options record's type, or null when it is not a component.</summary>
    public static string? KindOf(Type type) => type.GetCustomAttribute<ComponentAttribute>()?.Kind;

    internal static bool IsSocket(Type type) => type.IsDefined(typeof(SocketAttribute), inherit: false);

    private static void Add(string kind, Type type)
    {
        if (!type.IsSealed || type.GetConstructor(Type.EmptyTypes) is null)
            throw new InvalidOperationException($"{type}: a component is a sealed record without constructor parameters");
        var socket = type.BaseType;
        while (socket is not null && !IsSocket(socket))
            socket = socket.BaseType;
        if (socket is null)
            throw new InvalidOperationException($"{type}: no base record has [Socket]");
        if (!s_bySocket.TryGetValue(socket, out var kinds))
            s_bySocket[socket] = kinds = new SortedDictionary<string, ComponentInfo>(StringComparer.Ordinal);
        if (!kinds.TryAdd(kind, new ComponentInfo(kind, type, socket, Docs.Of(type))))
            throw new InvalidOperationException($"{type} and {kinds[kind].Type} are both kind '{kind}'");
    }
}
