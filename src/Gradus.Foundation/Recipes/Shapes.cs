using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gradus.Foundation.Recipes;

internal enum Form { Bool, Integer, Real, Text, Enum, List, Map, Record, Socket }

/// <summary>What a recipe value may be, read from a C# type and its nullability once.</summary>
internal sealed record ValueShape(Form Form, Type Type, bool Nullable, ValueShape? Element = null)
{
    public bool IsSection => Form is Form.Record or Form.Socket;

    public static ValueShape Of(NullabilityInfo info)
    {
        var underlying = System.Nullable.GetUnderlyingType(info.Type);
        var type = underlying ?? info.Type;
        var nullable = underlying is not null || (!type.IsValueType && info.WriteState == NullabilityState.Nullable);
        if (type.IsArray)
            return new ValueShape(Form.List, type, nullable, Of(info.ElementType!));
        if (type.IsGenericType && type.GetGenericArguments() is [var only] && type.IsAssignableFrom(typeof(List<>).MakeGenericType(only)))
            return new ValueShape(Form.List, type, nullable, Of(info.GenericTypeArguments[0]));
        if (type.IsGenericType && type.GetGenericArguments() is [var key, var value] && key == typeof(string)
            && type.IsAssignableFrom(typeof(Dictionary<,>).MakeGenericType(key, value)))
            return new ValueShape(Form.Map, type, nullable, Of(info.GenericTypeArguments[1]));
        return new ValueShape(FormOf(type), type, nullable);
    }

    public static ValueShape OfSection(Type type) => new(FormOf(type), type, Nullable: false);

    private static Form FormOf(Type type) => Type.GetTypeCode(type) switch
    {
        _ when type.IsEnum => Form.Enum,
        TypeCode.Boolean => Form.Bool,
        TypeCode.Int32 or TypeCode.Int64 or TypeCode.UInt32 or TypeCode.UInt64 or TypeCode.Byte or TypeCode.Int16 or TypeCode.UInt16 or TypeCode.SByte => Form.Integer,
        TypeCode.Single or TypeCode.Double => Form.Real,
        TypeCode.String => Form.Text,
        _ when type is { IsClass: true, IsAbstract: true } && Components.IsSocket(type) => Form.Socket,
        _ when type is { IsClass: true, IsAbstract: false } && type.GetConstructor(System.Type.EmptyTypes) is not null => Form.Record,
        _ => throw new InvalidOperationException($"{type} cannot be written in a recipe: use bool, an integer, double, string, enum, list, string-keyed dictionary, record or socket"),
    };
}

/// <summary>One key of a record.</summary>
internal sealed record Field(PropertyInfo Property, string Key, ValueShape Shape, bool Required, IReadOnlyList<LimitAttribute> Limits, bool Secret)
{
    public string? Doc => Docs.Of(Property);
}

/// <summary>The keys of a record type: its public properties that can be set, base record first, in the order they are written.</summary>
internal sealed class RecordShape
{
    private static readonly ConcurrentDictionary<Type, RecordShape> s_shapes = new();

    private RecordShape(Type type)
    {
        var nullability = new NullabilityInfoContext();
        Fields = [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.SetMethod is { IsPublic: true } && p.GetIndexParameters().Length == 0)
            .OrderBy(p => Depth(p.DeclaringType!)).ThenBy(p => p.MetadataToken)
            .Select(p => new Field(p, Name(p.Name), ValueShape.Of(nullability.Create(p)), p.IsDefined(typeof(System.Runtime.CompilerServices.RequiredMemberAttribute)),
                [.. p.GetCustomAttributes<LimitAttribute>().OrderBy(limit => limit.Keyword.EndsWith("aximum", StringComparison.Ordinal))], p.IsDefined(typeof(SecretAttribute))))];
        ByKey = Fields.ToDictionary(field => field.Key, StringComparer.Ordinal);
        if (Components.KindOf(type) is not null && ByKey.ContainsKey("kind"))
            throw new InvalidOperationException($"{type}: 'kind' is the component's own name and cannot be a property");
    }

    public IReadOnlyList<Field> Fields { get; }
    public IReadOnlyDictionary<string, Field> ByKey { get; }

    public static RecordShape Of(Type type) => s_shapes.GetOrAdd(type, t => new RecordShape(t));

    /// <summary><c>LearningRate</c> is written <c>learning_rate</c>.</summary>
    public static string Name(string property) => JsonNamingPolicy.SnakeCaseLower.ConvertName(property);

    private static int Depth(Type type) => type.BaseType is { } parent ? Depth(parent) + 1 : 0;
}

/// <summary>The words of an enum: kebab-case, or what [JsonStringEnumMemberName] says.</summary>
internal static class EnumWords
{
    public static IReadOnlyList<(string Word, object Value)> Of(Type type) =>
        [.. type.GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(f => (f.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? JsonNamingPolicy.KebabCaseLower.ConvertName(f.Name), f.GetValue(null)!))];
}
