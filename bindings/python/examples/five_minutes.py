# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
import sys
import tempfile

import libpat

folder = sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()

# A store on disk, and the keyring that seals it. (In real life, keep them apart.)
with libpat.Authority(
    f"{folder}/tokens", f"{folder}/keyring", prefixes=["acme_pat_"], create=True
) as authority:
    # Alice makes a token. Its text is shown to her once; nothing that is kept can rebuild it.
    issued = authority.issue("alice", "laptop", ["repo:write"])
    print(f"issued:   {issued.text[:9]}*** ({issued.token.description})")

    # Later somebody presents it: who is it, and what may they do?
    who = authority.verify(issued.text)
    print(f"verified: {who.account}, {', '.join(sorted(who.permissions))}")

    # Revoked means revoked: from here on, in every process, and after a power cut.
    authority.deactivate(issued.token.id, owner="alice")
    try:
        authority.verify(issued.text)
    except libpat.Refused as refused:
        print(f"refused:  {refused.reason}")
