length = "total"; first = "positive"; last = "negative"; by = "total"; ends = ink
