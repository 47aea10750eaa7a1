# Word frequencies of a text: {text, top} in, {words, distinct, top} out.
# hearth action create wordfreq-py examples/wordfreq.py
import platform
import re
from collections import Counter


def main(args):
    words = re.findall(r"[a-z']+", args.get("text", "").lower())
    count = Counter(words)
    order = sorted(count.items(), key=lambda item: (-item[1], item[0]))
    print(f"python {platform.python_version()} counted {len(words)} words")
    return {"words": len(words), "distinct": len(count), "top": dict(order[: args.get("top", 5)])}
