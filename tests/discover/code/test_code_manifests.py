"""Manifests of every ecosystem say which AI packages a source declares, and on which line."""

import pytest

MANIFESTS = {
    "requirements.txt": ("flask==3\n# openai\nopenai==1.30.1  # chat\n", "openai", 3),
    "requirements-dev.txt": ("-r requirements.txt\nlangchain-openai>=0.1\n", "langchain", 2),
    "pyproject.toml": (("[project]\n"
'name = "x"\n'
"dependencies = [\n"
'  "httpx",\n'
'  "anthropic[bedrock]>=0.3",\n'
"]\n"), "anthropic", 5),
    "app/pyproject.toml": ('[tool.poetry.dependencies]\npython = "^3.11"\nllama-index = "^0.10"\n', "llama-index", 3),
    "Pipfile": ('[packages]\nflask = "*"\ncrewai = "*"\n', "crewai", 3),
    "setup.py": ("from setuptools import setup\nsetup(install_requires=['torch>=2'])\n", "torch", 2),
    "setup.cfg": ("[options]\ninstall_requires =\n    transformers>=4\n", "transformers", 3),
    "environment.yml": ("dependencies:\n  - python=3.11\n  - pip:\n    - smolagents==1.0\n", "smolagents", 4),
    "package.json": ('{\n "dependencies": {\n  "react": "19",\n  "@ai-sdk/openai": "^1"\n }\n}', "vercel-ai-sdk", 4),
    "go.mod": ("module x\n\nrequire (\n\tgithub.com/openai/openai-go/v2 v2.1.0\n)\n", "openai", 4),
    "pom.xml": (("<project><dependencies>\n"
"<dependency>\n"
"<groupId>org.springframework.ai</groupId>\n"
"<artifactId>spring-ai-starter-model-openai</artifactId>\n"
"</dependency></dependencies></project>"), "spring-ai", 3),
    "build.gradle.kts": ('dependencies {\n  implementation("dev.langchain4j:langchain4j:1.0")\n}\n', "langchain", 2),
    "App.csproj": (("<Project>\n"
" <ItemGroup>\n"
'  <PackageReference Include="Microsoft.SemanticKernel" Version="1.2.3" />\n'
" </ItemGroup>\n"
"</Project>"), "semantic-kernel", 3),
}  # fmt: skip


@pytest.mark.parametrize("path", MANIFESTS)
def test_a_manifest_declares_a_framework_with_its_line(see, path):
    text, name, line = MANIFESTS[path]
    seen = see({path: text})
    assert seen.names("framework") == {name}
    assert seen.where("framework", name) == {f"{path}:{line}"}
    assert seen.one("framework", name).status == "declared"


def test_a_pinned_version_is_kept(see):
    assert see({"requirements.txt": "openai==1.30.1\n"}).one("framework", "openai").props["version"] == "1.30.1"


def test_a_provider_is_taken_from_a_manifest_only_where_the_code_is_not_read(see):
    assert see({"requirements.txt": "openai\n"}).names("provider") == set()
    assert see({"go.mod": MANIFESTS["go.mod"][0]}).names("provider") == set()
    assert see({"A.csproj": '<PackageReference Include="OpenAI" Version="2.0.0" />'}).names("provider") == {"openai"}


def test_manifests_without_ai_say_nothing(see):
    seen = see(
        {
            "requirements.txt": "flask\nopenapi\nmcpi\nagents-of-shield\n",
            "package.json": '{"dependencies": {"aim": "1", "@ai/x": "1", "langchain-x/y": "1"}}',
            "pom.xml": "<project></project>",
            "go.mod": "module openai\n",
        }
    )
    assert seen.observations == []


@pytest.mark.parametrize("path", ["package.json", "pyproject.toml", "Pipfile"])
def test_a_broken_manifest_is_said(see, path):
    seen = see({path: "{[ not a manifest"})
    assert [u.where for u in seen.unseen] == [path]


def test_a_broken_dependency_table_is_no_exception(see):
    see({"package.json": "[]", "a/package.json": '{"dependencies": [1]}', "pyproject.toml": "[tool]\npoetry = 3\n"})
