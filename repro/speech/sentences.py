"""Sentences and words for synthetic speakers, written for this project.

They go through the sounds of English, and often through p, b and m, where the lips must close.
"""

_WRITTEN = (
    "My brother maps the paper boats beside the empty pier.",
    "We maybe put both big blue boats by the pier, where Pam and Bob made them famous.",
    "Please bring the broom back before my mother comes home.",
    "A purple bumblebee hovers above the apple blossom.",
    "Most people remember the summer by its smell of mint.",
    "Perhaps the baker forgot to butter the bottom of the pan.",
    "The puppy jumped up and bumped the bamboo table.",
    "Imagine a million marbles tumbling down a copper pipe.",
    "Bobby climbed the maple tree to mend a broken lamp.",
    "Number fifteen is the best room on the upper floor.",
    "Mum keeps a bunch of plump tomatoes in the pantry.",
    "Above the harbour, pelicans swoop between the masts.",
    "The committee may approve the bridge in October.",
    "Public libraries lend maps, poems, and picture books.",
    "My aim is simple: be prompt, be brief, be prepared.",
    "Every camp by the lake pumps its own water.",
    "A small amber bottle rolled beneath the piano bench.",
    "People who bake bread at home seldom buy it.",
    "The company moved its main workshop to Birmingham.",
    "Pepper and basil improve almost any soup.",
    "Keep the lamp away from the damp cellar wall.",
    "Five vans delivered fresh vegetables to the village.",
    "The chef over there usually measures the flour twice.",
    "Which channel showed the football match on Thursday?",
    "Yesterday a young yak wandered into the yard.",
    "She should wash the shells before she shows us.",
    "We were wondering whether the weather would warm up.",
    "Long ago, kings hunted in this quiet green valley.",
    "Thirty thin feathers floated through the theatre.",
    "They breathe smoothly, although the path is rather steep.",
    "The boy enjoys noisy toys made out of oiled wood.",
    "Our tower clock loudly counted out the hours.",
    "Who threw the blue shoes into the swimming pool?",
    "He could push the good cook's book under the hood.",
    "Go slowly over the old stone road to the coast.",
    "Ask the last dancer to pass the glass of water.",
    "All autumn long the lawn was strewn with straw.",
    "The early bird heard the nurse turn her chair.",
    "Eight rainy days delayed the trains to Spain.",
    "I might try to find a wide white kite tonight.",
    "Each evening we eat green peas and cheese.",
    "Six thick bricks fit within this tin.",
    "Ten men sent seven letters to the president.",
    "That black cat sat back on the cracked mat.",
    "Hot coffee often stops a cough, or so my doctor claims.",
    "One lucky duck was stuck under the rusty truck.",
    "Near here we hear the deer, clear and fearless.",
    "Where there are bears, take care with fair share and spare.",
    "A treasure of unusual beauty was found at the garage.",
    "The judge jogged along the edge of the large bridge.",
    "Charles chose a cheap watch and much cherry chocolate.",
    "Zebras and lizards doze lazily in zoos.",
    "Singing songs in spring brings strong feelings.",
    "Quick questions require quiet, equally quick answers.",
    "Twelve twins twisted the twine between two trees.",
    "Strange streams stretch straight across the screen.",
    "Glass globes glow brightly when the gas is lit.",
    "Drop by drop, the dripping tap filled the tub.",
    "Is it possible to combine both problems into one?",
    "No, nobody knew; nevertheless everyone nodded.",
    "Could you repeat the number, please? My pen stopped.",
    "At about half past eight, the band began to play.",
    "Her grandfather grows roses, herbs, and very tall beans.",
    "Put the map back, Ben, and come to the beach with me.",
    "The temple bell hums after a single blow of the hammer.",
    "I hope the plumber remembers to bring his pump.",
    "Bright umbrellas popped up across the market.",
    "Someone must have moved my lamp from the bookshelf.",
    "The album begins with a simple rhythm on the drum.",
    "Microphones pick up the softest murmur in the room.",
    "A robin built a nest above the bathroom window.",
    "We measured the beam, stepped back, and measured it again.",
)

_WHO = (
    "The baker", "My sister", "A young doctor", "Their neighbour", "The choir", "Our teacher",
    "An old fisherman", "The mayor", "A thoughtful child", "Your uncle", "The painter",
    "Some visitors", "The quiet pilot", "A famous chef", "Both brothers", "The farmer",
    "A cheerful nurse", "The judge", "Few people", "The shy gardener",
)  # fmt: skip
_DID = (
    "carried", "found", "painted", "borrowed", "mended", "measured", "photographed", "sold",
    "admired", "wrapped", "dropped", "hid", "described", "polished", "bought", "chose", "moved",
    "watched", "shook", "praised",
)  # fmt: skip
_WHAT = (
    "the blue umbrella", "a heavy box of books", "five yellow pears", "the wooden chair",
    "an unusual map", "two pairs of boots", "the broken lamp", "a jar of plum jam",
    "the garage key", "a bowl of warm soup", "the village clock", "a brown leather purse",
    "the thin white curtain", "a valuable vase", "the large orange kite", "a bunch of flowers",
    "the oil for the engine", "a picture of the moon", "the tiny silver bell",
    "a measure of pure wool", "the boy's red jumper",
)  # fmt: skip
_WHERE = (
    "behind the church", "near the harbour", "on the narrow bridge", "in the empty theatre",
    "beneath the apple tree", "at the market", "by the northern shore", "under the kitchen table",
    "outside the museum", "between two houses", "above the workshop", "along the garden path",
    "before lunch", "after the storm", "during the first week of March", "on Thursday evening",
    "without a word", "for a small group of friends", "with great pleasure",
    "as the sun was rising", "while the others slept", "in less than an hour", "once again",
)  # fmt: skip


def _composed(count: int) -> tuple[str, ...]:
    """Sentences from parts whose numbers have no common divisor, so that each part comes evenly."""
    return tuple(
        f"{_WHO[(k + k // 20) % len(_WHO)]} {_DID[7 * k % len(_DID)]} "
        f"{_WHAT[k % len(_WHAT)]} {_WHERE[k % len(_WHERE)]}."
        for k in range(count)
    )


SENTENCES = _WRITTEN + _composed(260)

CARRIERS = (
    "They wrote {} twice on the board.",
    "You may say {} now and then.",
    "She heard {} over the radio.",
    "We found {} near the top of the list.",
    "I think {} was what he meant.",
)
"""Sentences around a single word, so that the clips of LRW's kind begin and end in mid-speech."""

WORDS = (
    *("about", "above", "absent", "almost", "amber", "ample", "apple", "april", "balloon"),
    *("bamboo", "basement", "because", "become", "before", "between", "bishop", "bottom"),
    *("bridge", "bubble", "butter", "cabbage", "camera", "campus", "chapter", "climbing"),
    *("combine", "company", "computer", "damage", "december", "every", "family", "favour"),
    *("feather", "himself", "important", "jumping", "kingdom", "lambs", "market", "maybe"),
    *("member", "memory", "middle", "million", "minute", "moment", "morning", "mother"),
    *("number", "october", "open", "paper", "people", "perhaps", "pepper", "picture"),
    *("possible", "problem", "public", "purple", "remember", "simple", "someone", "summer"),
    *("support", "symbol", "table", "temple", "tomorrow", "trouble", "umbrella", "upper"),
    *("village", "welcome", "whisper", "wonderful", "yesterday", "zebra"),
)
"""Single words, as in the clips of LRW."""
