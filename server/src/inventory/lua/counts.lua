-- How many tickets of each type are in each state.
-- KEYS, ARGV 1 and 2: see book.lua.
-- Returns "=version|counts|".
return read_book() or answer()
