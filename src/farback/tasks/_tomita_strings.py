"""Tomita's own training strings, for each language those in it and those that are not.

They were not read in the original, but written down as the literature hands them on. Each was held
against its language's automaton, and how many there are against the numbers that Watrous and Kuhn
count (9 + 8, 6 + 10, 13 + 12, 11 + 9, 9 + 12, 10 + 12, 13 + 8): of language 5 two are missing
among the strings that are not in it.

Reference: M. Tomita, Dynamic Construction of Finite Automata from Examples Using Hill-Climbing,
1982; R. L. Watrous, G. M. Kuhn, Induction of Finite-State Automata Using Second-Order Recurrent
Networks, 1992, table 1.
"""

EMPTY = "-"
"""The string without symbols."""

GRAMMATICAL = {
    1: "- 1 11 111 1111 11111 111111 1111111 11111111",
    2: "- 10 1010 101010 10101010 10101010101010",
    3: "- 1 0 01 11 00 100 110 111 000 100100 110000011100001 111101100010011100",
    4: "- 1 0 10 01 00 100100 001111110100 0100100100 11100 010",
    5: "11 00 1001 0101 1010 1000111101 1001100001111010 111111 0000",
    6: "- 10 01 1100 101010 111 000000 10111 0111101111 100100100",
    7: "- 1 0 10 01 11111 000 00110011 0101 0000100001111 00100 011111011111 00",
}

OTHERS = {
    1: "0 10 01 00 011 110 11111110 10111111",
    2: "1 0 11 00 01 101 100 1001010 10110 110101010",
    3: "10 101 010 1010 1110 1011 10001 111010 1001000 11111000 0111001101 11011100110",
    4: "000 11000 0001 000000000 00000 0000 11111000011 1101010000010111 1010010001",
    5: "0 111 011 000000000 1000 01 10 1110010100 010111111110 0001",
    6: "1 0 11 00 101 011 11001 1111 00000000 010111 101111111101 1001001001",
    7: "1010 00110011000 0101010101 1011010 10101 010100 101001 100100110101",
}
