"""What a tool can do: by the calls of its code, in every language, and by what its name and description say."""

import pytest

from penstock.discover.code.effect_rows import effect_of, said_effect
from penstock.discover.code.effects import as_url

CSHARP = """using Microsoft.SemanticKernel;
using Microsoft.Data.SqlClient;
using Microsoft.EntityFrameworkCore;
using Stripe;
class Shop : DbContext {{ public DbSet<Order> Orders {{ get; set; }} }}
class Tools(HttpClient http, IHttpClientFactory factory, Shop db) {{
  [KernelFunction("it")] public async Task It(string p) {{ {} }}
}}"""
KOTLIN = """package a
import ai.koog.agents.core.tools.annotations.Tool
import ai.koog.agents.core.tools.reflect.ToolSet
import io.ktor.client.*
import org.springframework.jdbc.core.JdbcTemplate
import org.springframework.mail.javamail.JavaMailSender
import com.stripe.model.Refund
import java.io.File
class T(private val jdbc: JdbcTemplate, private val mailer: JavaMailSender) : ToolSet {{
  private val http = HttpClient()
  @Tool fun it(p: String) {{ {} }}
}}"""
RUST = """use rmcp::tool;
#[tool(description = "x")]
async fn it(pool: &sqlx::PgPool, p: String) {{ {} }}
"""
RUBY = """class Order < ApplicationRecord; end
class It < RubyLLM::Tool
  def execute(p:)
    {}
  end
end"""
PHP = """<?php
use NeuronAI\\Tools\\Tool;
use Illuminate\\Support\\Facades\\Mail;
use App\\Models\\Order;
$tool = Tool::make('it', 'x')->setCallable(function (string $p) {{ {} }});
"""
NAMES = {"cs": (CSHARP, "it"), "kt": (KOTLIN, "it"), "rs": (RUST, "it"), "rb": (RUBY, "it"), "php": (PHP, "it")}


@pytest.mark.parametrize(
    ("language", "code", "effects"),
    [
        ("cs", "File.ReadAllText(p);", ["read"]),
        ("cs", "File.WriteAllText(p, p); Directory.CreateDirectory(p);", ["write"]),
        ("cs", "File.Delete(p);", ["delete"]),
        ("cs", 'Process.Start("sh", p);', ["exec"]),
        ("cs", "await http.GetStringAsync(p);", ["network"]),
        ("cs", "var c = factory.CreateClient(); await c.PostAsJsonAsync(p, p);", ["network"]),
        ("cs", "var c = new SmtpClient(p); c.Send(p, p, p, p);", ["email"]),
        ("cs", "new RefundService().Create(null);", ["money"]),
        ("cs", "db.Orders.Remove(db.Orders.Find(p)); db.SaveChanges();", ["delete", "read", "write"]),
        ("cs", 'var c = new SqlCommand("DELETE FROM orders");', ["delete"]),
        ("cs", 'var c = new SqlCommand(); c.CommandText = "UPDATE orders SET a = 1";', ["write"]),
        ("cs", "Console.WriteLine(p.Trim());", None),
        ("kt", "File(p).readText()", ["read"]),
        ("kt", "File(p).writeText(p)", ["write"]),
        ("kt", "File(p).delete()", ["delete"]),
        ("kt", 'ProcessBuilder("sh", p).start()', ["exec"]),
        ("kt", "http.get(p)", ["network"]),
        ("kt", "mailer.send(null)", ["email"]),
        ("kt", "Refund.create(null)", ["money"]),
        ("kt", 'jdbc.update("DELETE FROM orders")', ["delete"]),
        ("kt", "println(p.trim())", None),
        ("rs", "std::fs::read_to_string(p);", ["read"]),
        ("rs", "tokio::fs::write(p, p).await;", ["write"]),
        ("rs", "std::fs::remove_file(p);", ["delete"]),
        ("rs", 'std::process::Command::new("sh").arg(p).output();', ["exec"]),
        ("rs", "reqwest::get(p).await;", ["network"]),
        ("rs", "lettre::SmtpTransport::relay(p).unwrap().build().send(&m);", ["email"]),
        ("rs", "stripe::Refund::create(&c, p).await;", ["money"]),
        ("rs", 'sqlx::query!("DELETE FROM orders WHERE id = $1", p).execute(pool).await;', ["delete"]),
        ("rs", 'sqlx::query("SELECT * FROM orders").fetch_all(pool).await;', ["read"]),
        ("rs", 'println!("{}", p.trim());', None),
        ("rb", "File.read(p)", ["read"]),
        ("rb", "File.open(p, 'w') { |f| f.puts p }", ["write"]),
        ("rb", "FileUtils.rm_rf(p)", ["delete"]),
        ("rb", "`ls #{p}`", ["exec"]),
        ("rb", "system(p)", ["exec"]),
        ("rb", "HTTParty.get(p)", ["network"]),
        ("rb", "Mail.deliver { to p }", ["email"]),
        ("rb", "Stripe::Refund.create(charge: p)", ["money"]),
        ("rb", "Order.where(id: p).destroy_all", ["delete", "read"]),
        ("rb", "p.strip.delete(' ')", None),
        ("php", "return file_get_contents($p);", ["read"]),
        ("php", "return file_get_contents('https://a.b/' . $p);", ["network"]),
        ("php", "file_put_contents($p, $p);", ["write"]),
        ("php", "unlink($p);", ["delete"]),
        ("php", "return `ls`;", ["exec"]),
        ("php", "curl_exec($p);", ["network"]),
        ("php", "Mail::to($p)->send($m);", ["email"]),
        ("php", "\\Stripe\\Refund::create([]);", ["money"]),
        ("php", "Order::findOrFail($p)->delete();", ["delete", "read"]),
        ("php", "$d = new \\PDO('pgsql:host=db;dbname=shop'); $d->exec('DELETE FROM orders');", ["delete"]),
        ("php", "return trim($p);", None),
    ],
)
def test_a_tool_can_do_what_its_code_calls(see, language, code, effects):
    source, name = NAMES[language]
    seen = see({f"a.{language}": source.format(code)})
    assert seen.one("tool", name).prop("effects") == effects


def test_a_statement_names_the_table_of_the_database_that_the_connection_was_opened_with(see):
    code = PHP.format("$d = new \\PDO('pgsql:host=db;dbname=shop'); $d->exec('DELETE FROM orders');")
    assert ("it", "writes", "postgresql://db/shop/orders") in see({"a.php": code}).links("writes")


@pytest.mark.parametrize(
    ("given", "symbol", "address"),
    [
        ("Server=tcp:db,1433;Database=shop", "SqlConnection", "mssql://db/shop"),
        ("Host=db;Port=5432;Database=shop;Username=a;Password=b", "NpgsqlConnection", "postgresql://db/shop"),
        ("mysql:host=db;dbname=shop", "PDO", "mysql://db/shop"),
        ("sqlite:shop.db", "PDO", "shop.db"),
        ("jdbc:postgresql://db/shop", "getConnection", "postgresql://db/shop"),
        ("postgresql://db/shop", "connect", "postgresql://db/shop"),
    ],
)
def test_a_connection_string_is_an_address(given, symbol, address):
    assert as_url(given, symbol) == address


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("refund_order", "money"),
        ("Use this tool to send an email to the customer.", "email"),
        ("This tool deletes a user for good.", "delete"),
        ("executePython", "exec"),
        ("get_refund_policy", "read"),
        ("Summarise the text.", ""),
        ("", ""),
    ],
)
def test_words_tell_an_effect_by_the_verb_they_start_with(text, effect):
    assert said_effect(text) == effect


def test_what_the_code_does_is_not_talked_over_by_weak_words(see):
    seen = see(
        {
            "a.py": (
                "from agents import function_tool\nimport subprocess\n@function_tool\ndef get_report(q):\n"
                "    return subprocess.run(q)\n@function_tool\ndef get_order(q):\n    return q\n"
            )
        }
    )
    assert seen.one("tool", "get_report").prop("effects") == ["exec"]
    assert seen.one("tool", "get_order").prop("effects") == ["read"]


def test_a_name_of_one_language_says_nothing_in_another():
    assert effect_of("exec", "php") == "exec"
    assert effect_of("mail", "php") == "email"
    assert effect_of("mail", "typescript") == ""
    assert effect_of("Storage.get", "csharp") == ""
