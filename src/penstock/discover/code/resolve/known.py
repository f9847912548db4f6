"""Calls whose result the resolver knows: those that read the environment, and those that give a value back as it is."""

from __future__ import annotations

#: Calls that read a variable of the environment: the name first, then perhaps a default.
READS_ENVIRONMENT = frozenset(
    {"os.getenv", "os.environ.get", "environ.get", "getenv", "decouple.config", "os.Getenv", "os.LookupEnv",
     "std.env.var", "std.env.var_os", "env", "option_env", "dotenvy.var", "ENV.fetch", "Illuminate.Support.Env.get",
     "dotenv.var", "System.getenv", "System.getProperty", "System.Environment.GetEnvironmentVariable",
     "@nestjs/config.ConfigService().get", "@nestjs/config.ConfigService().getOrThrow"}
)  # fmt: skip
#: Mappings that are the environment: their members and items are its variables.
ENVIRONMENT = frozenset(
    {"ENV", "$_ENV", "$_SERVER", "os.environ", "environ", "process.env", "import.meta.env", "System.getenv()"}
)
#: Methods that give their text or object back in another form.
SAME_METHODS = frozenset(
    {"strip", "lstrip", "rstrip", "format", "lower", "upper", "title", "dedent", "trim", "trimStart", "trimEnd",
     "toString", "encode", "decode", "value", "with_options", "with_raw_response", "bind", "with_config", "with_retry",
     "with_structured_output", "bind_tools", "bindTools", "withStructuredOutput", "withConfig", "model_copy", "copy",
     "as_agent", "compile", "ToString", "Trim", "TrimEnd", "TrimStart", "ToLower", "ToLowerInvariant", "ConfigureAwait",
     "ReplaceLineEndings", "trimIndent", "trimMargin", "apply", "also", "asTools", "uppercase", "lowercase"}
)  # fmt: skip
#: Those among them that give an object of the source back.
SAME_OBJECT = frozenset({"asTools", "apply", "also"})
#: Methods that give their object back, or what they are given where it is empty.
OR_ELSE = frozenset(
    {"orElse", "orElseGet", "orElseThrow", "or_else", "unwrap", "unwrap_or", "unwrap_or_else", "unwrap_or_default",
     "expect", "getOrElse", "ifBlank", "ifEmpty", "orEmpty", "presence"}
)  # fmt: skip
#: Methods of a mapping that give what it holds under a key: the key first, then perhaps a default.
LOOKS_UP = frozenset({"get", "getOrDefault", "getValue", "fetch", "GetValueOrDefault", "dig"})
#: Calls that make a mapping of keys and values in turn.
PAIRS = frozenset({"java.util.Map.of", "com.google.common.collect.ImmutableMap.of"})
#: Calls that give their first argument back in another form.
SAME_CALLS = frozenset(
    {"str", "String", "textwrap.dedent", "inspect.cleandoc", "typing.cast", "os.path.expanduser", "pathlib.Path",
     "tuple", "list", "set", "sorted", "pydantic.SecretStr", "strings.TrimSpace", "strings.TrimSuffix",
     "strings.TrimPrefix", "strings.TrimRight", "strings.TrimLeft", "strings.Trim", "strings.ToLower", "strings.Clone",
     "strings.ReplaceAll", "strings.Replace", "java.util.Optional.of", "java.util.Optional.ofNullable",
     "java.util.Objects.requireNonNull", "java.util.Map.copyOf", "System.Uri", "requireNotNull", "checkNotNull"}
)  # fmt: skip
#: Calls that give a later argument back: its position.
SAME_ARGUMENT = {"typing.cast": 1}
#: Calls that describe a field of a class, with its default.
FIELDS = frozenset(
    {"pydantic.Field", "pydantic.fields.Field", "dataclasses.field", "attr.ib", "attrs.field", "attr.field"}
)
#: Calls that join the parts of a path.
JOINS_PATH = frozenset({"os.path.join", "posixpath.join", "path.join", "path.default.join"})
#: Methods that add to a list.
GROWS = frozenset({"append", "extend", "push", "add", "insert", "unshift", "Add", "AddRange"})
#: What an object calls itself, and what makes one.
THIS = frozenset({"self", "cls", "this"})
CONSTRUCTORS = ("__init__", "constructor")
