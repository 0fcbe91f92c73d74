using System.Reflection;
using System.Runtime.CompilerServices;

namespace Gradus.Tests.Architecture;

/// <summary>The public surface of an assembly as sorted lines of near-C#, so that a change of it is a change of a text file that a reviewer sees.</summary>
internal static class ApiText
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static string Of(Assembly assembly) =>
        string.Concat(assembly.GetTypes().Where(IsVisible).OrderBy(Full, StringComparer.Ordinal)
            .Select(type => Head(type) + "\n" + string.Concat(Members(type).Distinct().Order(StringComparer.Ordinal).Select(member => $"  {member}\n"))));

    private static bool IsVisible(Type type) =>
        (type.IsNested ? (type.IsNestedPublic || type.IsNestedFamily || type.IsNestedFamORAssem) && IsVisible(type.DeclaringType!) : type.IsPublic)
        && !type.IsDefined(typeof(CompilerGeneratedAttribute));

    private static string Head(Type type)
    {
        var word = type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsSubclassOf(typeof(Delegate)) ? "delegate" : type.IsValueType ? "struct"
            : type.GetMethod("<Clone>$", Declared) is not null ? "record" : "class";
        var manner = type.IsClass && !type.IsSubclassOf(typeof(Delegate)) ? type.IsAbstract && type.IsSealed ? "static " : type.IsAbstract ? "abstract " : type.IsSealed ? "sealed " : "" : "";
        var parent = type.BaseType is { } b && b != typeof(object) && b != typeof(ValueType) && b != typeof(Enum) && !type.IsSubclassOf(typeof(Delegate)) ? [Name(b)] : Array.Empty<string>();
        var inherited = type.BaseType?.GetInterfaces() ?? [];
        var interfaces = type.GetInterfaces().Except(inherited).Where(i => !type.IsEnum && i.IsPublic && !(i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEquatable<>))).Select(Name).Order(StringComparer.Ordinal);
        var bases = string.Join(", ", parent.Concat(interfaces));
        return $"{manner}{word} {Full(type)}{(bases.Length > 0 ? " : " + bases : "")}";
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
            return type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => $"{f.Name} = {Convert.ToInt64(f.GetRawConstantValue())}");
        if (type.IsSubclassOf(typeof(Delegate)))
            return [Method(type.GetMethod("Invoke")!)];
        var fields = type.GetFields(Declared).Where(f => f.IsPublic || f.IsFamily || f.IsFamilyOrAssembly)
            .Select(f => $"{(f.IsLiteral ? "const " : f.IsStatic ? "static " : "")}{(f.IsInitOnly ? "readonly " : "")}{Name(f.FieldType)} {f.Name}");
        var constructors = type.GetConstructors(Declared).Where(c => IsOpen(c) && !c.IsDefined(typeof(CompilerGeneratedAttribute)) && !c.IsStatic).Select(c => $"new({Parameters(c)})");
        var properties = type.GetProperties(Declared).Where(p => p.Name != "EqualityContract" && p.GetAccessors(true).Any(IsOpen)).Select(Property);
        var events = type.GetEvents(Declared).Where(e => e.AddMethod is { } add && IsOpen(add)).Select(e => $"event {Name(e.EventHandlerType!)} {e.Name}");
        var methods = type.GetMethods(Declared).Where(m => IsOpen(m) && !m.IsDefined(typeof(CompilerGeneratedAttribute)) && !m.Name.StartsWith('<')
            && (!m.IsSpecialName || m.Name.StartsWith("op_", StringComparison.Ordinal))).Select(Method);
        return fields.Concat(constructors).Concat(properties).Concat(events).Concat(methods);
    }

    private static bool IsOpen(MethodBase m) => m.IsPublic || m.IsFamily || m.IsFamilyOrAssembly;

    private static string Property(PropertyInfo p)
    {
        var any = p.GetAccessors(true)[0];
        var set = p.SetMethod is { } s && IsOpen(s) ? s.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? " init;" : " set;" : "";
        var index = p.GetIndexParameters() is { Length: > 0 } i ? $"this[{string.Join(", ", i.Select(x => Name(x.ParameterType)))}]" : p.Name;
        return $"{Manner(any)}{(p.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "")}{Name(p.PropertyType)} {index} {{{(p.GetMethod is { } g && IsOpen(g) ? " get;" : "")}{set} }}";
    }

    private static string Method(MethodInfo m) =>
        $"{Manner(m)}{Name(m.ReturnType)} {m.Name}{(m.IsGenericMethod ? $"<{string.Join(", ", m.GetGenericArguments().Select(a => a.Name))}>" : "")}({Parameters(m)})";

    private static string Manner(MethodInfo m) => (m.IsPublic ? "" : "protected ") + (m.DeclaringType!.IsInterface ? "" : m.IsStatic ? "static " : m.IsAbstract ? "abstract "
        : m.GetBaseDefinition() != m ? "override " : m is { IsVirtual: true, IsFinal: false } ? "virtual " : "");

    private static string Parameters(MethodBase m) => string.Join(", ", m.GetParameters().Select(p =>
        (p.ParameterType.IsByRef ? p.IsOut ? "out " : p.IsIn ? "in " : "ref " : p.IsDefined(typeof(ParamArrayAttribute)) ? "params " : "") + $"{Name(p.ParameterType)} {p.Name}" + (p.HasDefaultValue ? " = " + Default(p) : "")));

    private static string Default(ParameterInfo p) => p.RawDefaultValue switch
    {
        null => "default",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        IFormattable value => value.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        var other => other.ToString()!,
    };

    private static string Full(Type type) => type.Namespace + "." + Name(type);

    private static string Name(Type type)
    {
        if (type.IsByRef || type.IsPointer)
            return Name(type.GetElementType()!) + (type.IsPointer ? "*" : "");
        if (type.IsArray)
            return Name(type.GetElementType()!) + "[" + new string(',', type.GetArrayRank() - 1) + "]";
        if (Nullable.GetUnderlyingType(type) is { } underlying)
            return Name(underlying) + "?";
        var name = type.IsNested && !type.IsGenericParameter ? Name(type.DeclaringType!) + "." + type.Name : type.Name;
        var tick = name.IndexOf('`', StringComparison.Ordinal);
        return tick < 0 ? name : $"{name[..tick]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
    }
}
