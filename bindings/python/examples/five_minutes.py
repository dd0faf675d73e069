# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
import sys

import libpat

folder = sys.argv[1]
with libpat.Authority(
    f"{folder}/tokens", f"{folder}/keyring", prefixes=["acme_pat_"], create=True
) as authority:
    issued = authority.issue("alice", "laptop", ["repo:write"])
    print(f"issued:   {issued.text[:9]}*** ({issued.token.description})")  # issued.text: shown once
    who = authority.verify(issued.text)
    print(f"verified: {who.account}")
    authority.deactivate(issued.token.id, owner="alice")
    try:
        authority.verify(issued.text)
    except libpat.Refused as refused:
        print(f"refused:  {refused.reason}")
