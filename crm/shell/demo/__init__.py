"""What a bare clone shows: invented products, customers and people with work in progress.

Everything goes through the services and the reader that real work goes through, so that the demo
cannot show what the product does not do.
"""
