using System.Reflection;
using System.Runtime.CompilerServices;

namespace LeanPipe.Unit.DaprStandIns;

/// <summary>What an assembly lets callers bind to, a line per member, as C# writes it. What the compiler adds to records is not listed.</summary>
static class PublicMembers
{
    const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    static readonly NullabilityInfoContext Nullability = new();

    static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(object)] = "object",
        [typeof(string)] = "string",
        [typeof(bool)] = "bool",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(double)] = "double",
        [typeof(byte)] = "byte",
    };

    public static IEnumerable<string> Of(Assembly assembly) => assembly.GetExportedTypes()
        .SelectMany(type => MembersOf(type).Prepend(Declaration(type)).Select(line => $"{FullName(type)}: {line}"))
        .Order(StringComparer.Ordinal);

    static IEnumerable<string> MembersOf(Type type)
    {
        if (type.IsEnum)
        {
            return Enum.GetNames(type).Select(name => $"{name} = {Convert.ToInt32(Enum.Parse(type, name))}");
        }

        return type.GetConstructors(Declared).Where(IsVisible).Where(c => !IsSynthesized(c) && !type.IsAbstract).Select(c => $"{Access(c)} {Plain(type.Name)}({Parameters(c)})")
            .Concat(type.GetFields(Declared).Where(f => f.IsPublic).Select(f => $"public {Name(f.FieldType)} {f.Name}"))
            .Concat(type.GetProperties(Declared).Where(p => p.GetMethod is { } get && IsVisible(get) && p.Name != "EqualityContract").Select(Property))
            .Concat(type.GetMethods(Declared).Where(m => IsVisible(m) && !IsSynthesized(m) && (!m.IsSpecialName || m.Name == "op_Implicit")).Select(Method));
    }

    static string Declaration(Type type)
    {
        var kind = type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct" : "class";
        var modifier = kind != "class" ? string.Empty : type is { IsAbstract: true, IsSealed: true } ? "static " : type.IsAbstract ? "abstract " : type.IsSealed ? "sealed " : string.Empty;
        var inherited = type.BaseType?.GetInterfaces() ?? [];
        var interfaces = type.IsEnum ? [] : type.GetInterfaces().Except(inherited).Except(type.GetInterfaces().SelectMany(i => i.GetInterfaces()))
            .Where(i => !i.IsGenericType || i.GetGenericTypeDefinition() != typeof(IEquatable<>));
        var bases = (type.BaseType is { } b && b != typeof(object) && b != typeof(ValueType) && b != typeof(Enum) ? [b] : Array.Empty<Type>())
            .Concat(interfaces.OrderBy(i => i.Name, StringComparer.Ordinal)).Select(Name).ToArray();
        return $"public {modifier}{kind}{(bases.Length == 0 ? string.Empty : " : " + string.Join(", ", bases))}";
    }

    static string Property(PropertyInfo property)
    {
        var setter = property.SetMethod is not { } set || !IsVisible(set) ? string.Empty
            : set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? " init;" : " set;";
        var type = Name(property.PropertyType) + Mark(property.PropertyType, Nullability.Create(property).ReadState);
        return $"{Access(property.GetMethod!)} {Modifiers(property.GetMethod!)}{type} {property.Name} {{ get;{setter} }}";
    }

    static string Method(MethodInfo method)
    {
        var generic = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(a => a.Name))}>" : string.Empty;
        var where = string.Concat(method.IsGenericMethod ? method.GetGenericArguments().Select(Constraints) : []);
        var type = Name(method.ReturnType) + Mark(method.ReturnType, Nullability.Create(method.ReturnParameter).ReadState);
        var name = method.Name == "op_Implicit" ? $"implicit operator {type}" : $"{type} {method.Name}{generic}";
        return $"{Access(method)} {Modifiers(method)}{name}({Parameters(method)}){where}";
    }

    static string Parameters(MethodBase method)
    {
        var extends = method.IsDefined(typeof(ExtensionAttribute), inherit: false) ? "this " : string.Empty;
        return extends + string.Join(", ", method.GetParameters().Select(parameter =>
        {
            var type = Name(parameter.ParameterType) + Mark(parameter.ParameterType, Nullability.Create(parameter).WriteState);
            return $"{type} {parameter.Name}{(parameter.HasDefaultValue ? $" = {Literal(parameter)}" : string.Empty)}";
        }));
    }

    static string Literal(ParameterInfo parameter) => parameter.DefaultValue switch
    {
        null => parameter.ParameterType.IsValueType && Nullable.GetUnderlyingType(parameter.ParameterType) is null ? "default" : "null",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        Enum value => $"{Name(value.GetType())}.{value}",
        var value when parameter.ParameterType.IsEnum => $"{Name(parameter.ParameterType)}.{Enum.ToObject(parameter.ParameterType, value)}",
        var value => $"{value}",
    };

    static string Constraints(Type argument)
    {
        var isClass = argument.GenericParameterAttributes.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint);
        string[] all = [.. isClass ? ["class"] : Array.Empty<string>(), .. argument.GetGenericParameterConstraints().Select(Name)];
        return all.Length == 0 ? string.Empty : $" where {argument.Name} : {string.Join(", ", all)}";
    }

    static string Name(Type type)
    {
        if (Keywords.TryGetValue(type, out var keyword))
        {
            return keyword;
        }

        if (type.IsArray)
        {
            return $"{Name(type.GetElementType()!)}[]";
        }

        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return $"{Name(value)}?";
        }

        return type.IsGenericType ? $"{Plain(type.Name)}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : type.Name;
    }

    static string FullName(Type type) =>
        $"{type.Namespace}.{(type.IsGenericType ? $"{Plain(type.Name)}<{string.Join(", ", type.GetGenericArguments().Select(a => a.Name))}>" : type.Name)}";

    static string Plain(string name) => name.Split('`')[0];

    static string Mark(Type type, NullabilityState state) =>
        state == NullabilityState.Nullable && !type.IsValueType && !type.IsGenericParameter ? "?" : string.Empty;

    static string Access(MethodBase method) => method.IsPublic ? "public" : "protected";

    static string Modifiers(MethodInfo method)
    {
        if (method.DeclaringType!.IsInterface)
        {
            return string.Empty;
        }

        var isOverride = method.GetBaseDefinition() != method;
        return method.IsStatic ? "static " : isOverride ? "override " : method.IsAbstract ? "abstract " : method is { IsVirtual: true, IsFinal: false } ? "virtual " : string.Empty;
    }

    static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    static bool IsSynthesized(MethodBase method) =>
        method.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false)
        || (method is ConstructorInfo { IsPublic: false } copy && copy.GetParameters() is [{ } only] && only.ParameterType == copy.DeclaringType);
}
