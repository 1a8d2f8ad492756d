"""Maximum-likelihood fits of single emitters: the standard that every network is compared with."""
