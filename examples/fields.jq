# fields.jq - the JSON Schema of the lines (netlog --schema) as tables for the README.
# jq -r -f fields.jq

def envelope: ["timestamp", "event_type", "seq", "hostname"];

def type_of:
	if .enum then [.enum[] | "`\(.)`"] | join(", ")
	elif .const then "`\(.const)`"
	else .type end;

def rows($names): to_entries[] | select(.key as $k | $names | index($k)) |
	"| `\(.key)` | \(.value | type_of) | \(.value.description) |";

def head: "| field | type | what |\n|---|---|---|";

[.oneOf[] | select(.required == envelope)] as $events |
[.oneOf[] | select(.required != envelope)] as $control |
# what all events have stands once
($events[0].properties | keys_unsorted | map(select(. as $k |
	all($events[]; .properties | has($k)))) | map(select(. as $k | envelope | index($k) | not)))
	as $common |

"**Every line**\n", head, (($events[0].properties | .event_type |= {type: "string",
	description: .description}) | rows(envelope)),
"\n**Every event** (a key that is not known is absent)\n", head, ($events[0].properties | rows($common)),
($events[] | . as $e | "\n**`\(.title)`**: \(.description)\n", head,
	(.properties | rows(keys_unsorted - envelope - $common))),
($control[] | "\n**`\(.title)`**: \(.description)\n", head,
	(.properties | rows(keys_unsorted - envelope)))
