"""What a pickle would do, by the opcodes that would do it."""

# ruff: noqa: E501 - tables of cases read best a line each

from __future__ import annotations

import collections
import datetime
import decimal
import pathlib
import pickle
import uuid

import numpy as np
import pytest

from penstock.inspect.models.scan import scan_bytes
from penstock.inspect.models.verdict import Verdict
from tests.inspect.pickles import COMMAND, call, group, name, number, raw, short, stacked, stream, system, text


def verdict(data: bytes) -> str:
    return scan_bytes(data, "model.pkl").verdict.word


# -- names that need no second look --------------------------------------------------------------------------------

DANGEROUS = """
os.system posix.system nt.system os.popen os.execv os.spawnl os.posix_spawn os.remove os.putenv subprocess.Popen
subprocess.check_output subprocess.getoutput commands.getoutput pty.spawn builtins.eval builtins.exec __builtin__.eval
__builtin__.execfile builtins.compile builtins.__import__ builtins.open __builtin__.file builtins.breakpoint
builtins.setattr importlib.import_module importlib._bootstrap._gcd_import imp.load_source runpy._run_code
runpy.run_path webbrowser.open socket.create_connection _socket.socket ssl.get_server_certificate timeit.timeit
timeit.main cProfile.run cProfile.runctx profile.run trace.Trace.runfunc code.interact code.InteractiveConsole.push
codeop.compile_command bdb.Bdb.run pdb.run pdb.set_trace doctest.debug_script shutil.rmtree shutil.copyfile
tempfile.mktemp sys.exit sys.settrace urllib.request.urlopen urllib.urlopen http.client.HTTPSConnection
httplib.HTTPConnection ftplib.FTP smtplib.SMTP telnetlib.Telnet xmlrpc.client.ServerProxy asyncio.create_subprocess_shell
asyncio.unix_events._UnixSubprocessTransport._start io.FileIO io.open _io.open_code logging.FileHandler
logging.config.fileConfig logging.config.listen ctypes.CDLL ctypes.cdll.LoadLibrary pkgutil.resolve_name pydoc.locate
pydoc.pipepager pip.main pip._internal.main setuptools.setup ensurepip._run_pip venv.create distutils.core.run_setup
distutils.file_util.write_file lib2to3.pgen2.pgen.ParserGenerator.make_label
idlelib.pyshell.ModifiedInterpreter.runcommand idlelib.run.Executive.runcode idlelib.autocomplete.AutoComplete.get_entity
multiprocessing.util.spawnv_passfds concurrent.futures.ProcessPoolExecutor unittest.mock._importer test.support.script_helper.assert_python_ok
marshal.loads types.FunctionType types.CodeType operator.methodcaller pickle.loads _pickle.load cPickle.loads dill.loads
joblib.load numpy.load numpy.fromfile numpy.testing._private.utils.runstring numpy.f2py.crackfortran.param_eval
numpy.f2py.crackfortran.getlincoef numpy.f2py.diagnose.run_command numpy.distutils.exec_command.exec_command
torch.hub.load torch.load torch.ops.load_library torch.utils.cpp_extension.load torch.utils.bottleneck.__main__.run_cprofile
torch.utils._config_module.ConfigModule.load_config torch.utils.data.datapipes.utils.decoder.basichandlers
torch._dynamo.guards.GuardBuilder.get torch._inductor.codecache.compile_file torch.fx.experimental.symbolic_shapes.ShapeEnv.evaluate_guards_expression
torch.jit.unsupported_tensor_ops.execWrapper torch.utils.collect_env.run torch.distributed.rpc.rpc_sync
pandas.read_pickle pandas.eval pandas.core.computation.eval.eval sympy.parsing.sympy_parser.parse_expr
transformers.dynamic_module_utils.get_class_from_dynamic_module huggingface_hub.hf_hub_download requests.get
aiohttp.client.ClientSession httpx.get urllib3.PoolManager paramiko.SSHClient boto3.client jinja2.Template yaml.unsafe_load
gc.get_objects inspect.getmodule sched.scheduler signal.signal threading.Thread atexit.register readline.read_history_file
code.InteractiveInterpreter _posixsubprocess.fork_exec _winapi.CreateProcess zipimport.zipimporter shelve.open dbm.open
sqlite3.connect site.addsitedir IPython.start_ipython cffi.FFI copyreg.add_extension
mailcap.findmatch uuid._get_command_stdout _osx_support._read_output _aix_support._read_cmd_output _pyrepl.pager.pipe_pager
imaplib.IMAP4_stream platform.popen pipes.Template nturl2path.url2pathname antigravity.fly this.s
""".split()


@pytest.mark.parametrize("full", DANGEROUS)
def test_dangerous_name_is_malicious_in_every_way_to_call_it(full):
    module, attribute = full.rsplit(".", 1)
    for function in (name(module, attribute), stacked(module, attribute)):
        assert verdict(stream(call(function, text("x")))) == "malicious"
        assert verdict(stream(b"}" + text("a") + function + b"s")) == "malicious"


def test_reason_names_the_call_and_its_offset():
    data = stream(b"N0" + system(), 2)
    (reason,) = scan_bytes(data, "m.pkl").reasons
    assert reason.chain == f"os.system({COMMAND!r})"
    assert data[reason.offset : reason.offset + 1] == b"R"


# -- ways to call --------------------------------------------------------------------------------------------------

OS, SYSTEM = short("os"), short("system")
FORMS = {
    "text opcodes only": f"cos\nsystem\n(V{COMMAND}\ntR.".encode(),
    "string opcode with escapes": b"S'\\x6f\\x73'\nS'system'\n\x93(S'x'\ntR.",
    "INST": f"(V{COMMAND}\nios\nsystem\n.".encode(),
    "OBJ": stream(b"(" + name("os", "system") + text("x") + b"o"),
    "NEWOBJ": stream(name("subprocess", "Popen") + group(text("x")) + b"\x81"),
    "NEWOBJ_EX": stream(name("subprocess", "Popen") + group(text("x")) + b"}\x92"),
    "extension registry": stream(b"\x82\x07" + group(text("x")) + b"R"),
    "memo in reverse": stream(SYSTEM + b"\x94" + b"0" + OS + b"\x94" + b"0h\x01h\x00\x93" + group(text("x")) + b"R"),
    "memo overwritten": stream(short("collections") + b"q\x00" + b"0" + OS + b"q\x00" + b"0h\x00" + SYSTEM + b"\x93)R"),
    "sparse memo": stream(OS + b"r\x40\x42\x0f\x00" + b"0j\x40\x42\x0f\x00" + SYSTEM + b"\x93)R"),
    "memo by MEMOIZE after a gap": stream(b"Nq\x05" + b"0" + OS + b"\x94" + b"0h\x01" + SYSTEM + b"\x93)R"),
    "popped behind a mark": stream(b"(" + system() + b"1}"),
    "duplicated": stream(name("os", "system") + b"2" + group(text("x")) + b"R"),
    "result thrown away": stream(system() + b"0}"),
    "key of a dict": stream(b"}" + system() + b"Ns"),
    "member of a frozenset": stream(b"(" + system() + b"\x91"),
    "state of an object": stream(name("collections", "OrderedDict") + b")R}" + text("a") + system() + b"sb"),
    "persistent id": stream(group(text("storage"), system()) + b"Q"),
    "dotted name": stream(stacked("torch.serialization", "os.system") + group(text("x")) + b"R"),
    "module as an attribute": stream(call(call(name("builtins", "getattr"), stacked("torch", "os"), text("system")), text("x"))),
    "inner attribute": stream(stacked("collections", "OrderedDict.__init__.__globals__") + b")R"),
    "computed name": stream(OS + call(name("builtins", "str.lower"), text("SYSTEM")) + b"\x93)R"),
    "partial": stream(call(call(name("functools", "partial"), name("os", "system"), text("x")))),
    "map": stream(call(name("builtins", "list"), call(name("builtins", "map"), name("os", "system"), b"]" + text("x") + b"a"))),
    "reduce": stream(call(name("functools", "reduce"), name("os", "system"), b"]")),
    "state of a partial": stream(name("functools", "partial") + group(name("builtins", "int")) + b"R" + group(name("os", "system"), group(text("x")), b"}", b"N") + b"b"),
    "reconstructor": stream(call(name("copyreg", "_reconstructor"), name("subprocess", "Popen"), name("builtins", "object"), b"N")),
    "torch's own type": stream(call(name("torch._tensor", "_rebuild_from_type_v2"), name("os", "system"), b"N", group(text("x")), b"N")),
    "state that sets __setstate__": stream(name("collections", "OrderedDict") + b")R}" + text("__setstate__") + name("os", "system") + b"sb" + text("x") + b"b"),
    "attributes of a class": stream(name("collections", "OrderedDict") + b"}" + text("get") + name("builtins", "len") + b"sb"),
    "method of what a call gave": stream(call(call(name("builtins", "getattr"), call(name("bdb", "Bdb")), text("run")), text("1"))),
    "dill's import": stream(call(name("dill._dill", "_import_module"), text("os.system"))),
    "bytecode that imports os": stream(call(name("dill._dill", "_create_code"), number(0), group(text("os"), text("system")))),
    "pickle in a pickle": stream(call(name("pickle", "loads"), raw(stream(system())))),
    "tensor in a pickle": stream(call(name("torch.storage", "_load_from_bytes"), raw(stream(system(), 2)))),
    "bytes by codec": stream(call(name("torch.storage", "_load_from_bytes"), call(name("_codecs", "encode"), text("cos\nsystem\n(S'x'\ntR."), text("latin1")))),
    "frame too short": b"\x80\x04\x95" + (3).to_bytes(8, "little") + system() + b".",
    "frame too long": b"\x80\x04\x95" + (9999).to_bytes(8, "little") + system() + b".",
    "protocol of the future": b"\x80\x07" + system() + b".",
    "no stop": b"\x80\x04" + system(),
    "broken behind": b"\x80\x04" + system() + b"\xff\xff",
    "underflow behind": b"\x80\x04" + system() + b"000000.",
    "behind a megabyte": stream(raw(bytes(3_000_000)) + b"0" + system()),
    "name across a window": stream(raw(bytes((1 << 20) - 20)) + b"0" + system()),
    "second stream": stream(b"}") + stream(system()),
    "second stream in text": stream(b"}") + b"cos\nsystem\n(S'x'\ntR.",
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_hidden_call_is_malicious(form):
    report = scan_bytes(FORMS[form], "weights.bin")
    assert report.verdict is Verdict.MALICIOUS, report.reasons


def test_unknown_function_that_is_called_is_suspicious_and_its_chain_shown():
    report = scan_bytes(stream(call(name("acme.models", "restore"), text("v2"))), "m.pkl")
    assert report.verdict is Verdict.SUSPICIOUS
    assert report.reasons[0].chain == "acme.models.restore('v2')"


def test_class_of_ones_own_is_for_review():
    assert verdict(stream(name("acme.models", "Net") + b")\x81}" + text("w") + number(1) + b"sb")) == "review"


def test_bytecode_by_value_is_suspicious():
    assert verdict(stream(call(name("dill._dill", "_create_code"), number(0), group(text("x"))))) == "suspicious"


def test_stream_as_data_is_no_more_than_worth_a_look():
    assert verdict(stream(b"}" + text("blob") + raw(stream(system())) + b"s")) == "review"


# -- what models are made of ---------------------------------------------------------------------------------------

PLAIN = {
    "numbers": {"epoch": 7, "loss": 0.12, "big": 1 << 200, "c": 1 + 2j, "none": None, "flags": [True, False]},
    "containers": [collections.OrderedDict(a=1), collections.Counter("mississippi"), collections.deque([1]), {1}, frozenset((2,))],
    "values": [datetime.datetime(2026, 1, 2), decimal.Decimal("3.14"), uuid.UUID(int=5), pathlib.PurePosixPath("a"), range(5), slice(1, 2)],
    "texts that look like code": ["import os; os.system('ls')", "cos\nsystem\n(S'ls'\ntR.", "__reduce__", "eval(input())"],
    "bytes that look like code": [b"\x80\x04cos\nsystem", b"os.system", bytes(range(256)) * 50],
    "arrays": [np.arange(5), np.float64(1.5), np.dtype("f4"), np.array(["a", None], dtype=object), np.zeros(2, dtype=[("a", "i4")])],
    "random states": [np.random.RandomState(3), np.random.default_rng(2)],
    "masked": np.ma.masked_array([1, 2], [0, 1]),
}  # fmt: skip


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("what", PLAIN)
def test_plain_data_is_clean_in_every_protocol(what, protocol):
    report = scan_bytes(pickle.dumps(PLAIN[what], protocol), "data.pkl")
    assert report.verdict is Verdict.CLEAN, report.reasons


def test_text_is_no_pickle():
    for content in (b"code\nlines\nof text.", b"Notes on the model.\n", b"(draft)\nMore to come.", b"c\n\n."):
        assert "pickle" not in scan_bytes(content, "notes.txt").formats


# -- bounds --------------------------------------------------------------------------------------------------------


def test_growth_when_walked_is_malicious():
    body = b"]" + (b"q\x00(" + b"h\x00" * 10 + b"l") * 30
    assert "pickle.bomb" in {reason.rule for reason in scan_bytes(stream(body, 2), "m.pkl").reasons}


@pytest.mark.parametrize("opcode", [b"\x8e", b"\x8d", b"\x96"])
def test_bytes_that_no_machine_has_are_malicious(opcode):
    assert verdict(b"\x80\x05" + opcode + (1 << 60).to_bytes(8, "little") + b"x.") == "malicious"


@pytest.mark.parametrize("unit", [b"N\x94", b"K\x01", b"}", b"(", b"]\x94", b"N\x85"])
def test_endless_values_are_never_clean(unit):
    assert verdict(b"\x80\x04" + b"N" + unit * 1_500_000 + b".") == "inconclusive"


def test_file_cut_short_is_never_clean():
    whole = pickle.dumps({"a": list(range(1000)), "b": "x" * 1000}, 4)
    for end in range(3, len(whole), 97):
        assert verdict(whole[:end]) == "inconclusive"


def test_memo_counts_each_place_once_however_it_was_filled():
    # 1 is stored before 0 and stored again: the next MEMOIZE of a real loader takes 2, and 2 is asked for
    body = b"K\x01q\x010K\x02q\x000K\x03q\x010" + name("os", "system") + b"\x940h\x02" + text("id") + b"\x85R"
    report = scan_bytes(stream(body), "m.pkl")
    assert report.verdict is Verdict.MALICIOUS
    assert not [reason for reason in report.reasons if reason.rule == "pickle.broken"]
