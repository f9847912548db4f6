"""What a model file would do when it is loaded, said without loading it.

Design
------
*Verdicts*, best first: ``clean`` (everything that a loader would act on was seen and is known to be harmless),
``inconclusive`` (not all could be seen; never clean), ``review`` (code by design: a Lambda layer, an ``auto_map``
module, a class of one's own; a person decides, a safe alternative is named), ``suspicious`` (something unknown would be
called, or a file contradicts itself), ``malicious`` (what is known to run code, reach out or destroy). Only malicious
blocks by default. A folder or an archive is as bad as its worst part.

*Reasons*: every verdict but clean comes with reasons, each with the rule's id, words, the place (archive members joined
by ``!``), the offset of the opcode or field, and the call chain as it would be written in Python.

*Strings are data*: no text of a pickle, a vocabulary or a data set is judged by how it looks. Bytes are read as a
stream of their own only where a loader would do so (the argument of ``pickle.loads``, an array of objects behind
joblib's wrapper, a member of an archive).

*Names are judged by what they are*, never by module prefix of a friend: rows of ``knowledge/packs/model_files`` (exact
names with roles and argument rules), lists made from the libraries' own public classes (``known/``) and lists of the
functions whose source reaches a shell, an interpreter, the network or the file system (``sinks/``). They are data with
the library's version, so that a verdict is the same on every machine. What no list knows is reviewed when it is only
created and suspicious when it is called.

*Bounds* (`Limits`): CPU seconds, bytes held, bytes unpacked, opcodes, members, depth. Whoever runs into one leaves an
``inconclusive`` reason and everything found so far. Nothing is imported, run, written or sent.

The parts: ``scan`` (the door: path or bytes in, `Report` out), ``source`` (bounded random access), ``sniff`` (format by
content), ``pickle`` (the abstract machine, its policy and its names), ``containers`` (archives and compression),
``formats`` (one file a format), ``python_code``, ``template`` and ``text`` (modules, chat templates and configurations
beside weights).
"""
