"""Looking inside a network. Nothing here changes it, and nothing knows of files and screens.

trace/        where one number comes from, term by term
attribution/  why a network decides as it does
gradcheck/    the proof that the gradients are right, and that the check would notice if they were not
bench/        how fast it is, layer by layer
views/        what is shown of all this, as plain data for the renderer: views know what is computed, never the reverse

Single files compute what several of them need: `samples` (many samples, batch by batch), `census` and `statistics`
(numbers about values), `histograms`, `descent` (steps of an optimizer), `maximization` (inputs that a channel would
like best), `receptive` (what of the input a number sees), `proxies` (the same network with other layers).
"""
