"""Signatures of models in the OpenSSF format (OMS 1.0): who signed which files, and whether they are those files.

A signature says nothing by itself: anybody can make one. It counts when the signer is trusted by whoever verifies, by a
public key, a root certificate, or an identity with its issuer (Sigstore, with the extra ``signing``). Nothing is
fetched.
"""
