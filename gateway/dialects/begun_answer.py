from typing import Any


def trim_begun_answer(turns: list[dict[str, Any]]) -> None:
    """Takes the blanks from the end of a last turn of the assistant, whose text the model is to go on with.

    Claude refuses them, by Anthropic as by Bedrock: "final assistant content cannot end with trailing whitespace".
    OpenAI takes them, and they are nothing that a caller would miss.
    """
    if not turns or turns[-1]["role"] != "assistant":
        return
    content = turns[-1]["content"]
    if "text" in content[-1]:
        content[-1]["text"] = content[-1]["text"].rstrip()
        if not content[-1]["text"]:
            content.pop()
    if not content:
        turns.pop()
