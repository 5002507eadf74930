"""The site as a folder of files, for a server without programs.

addresses    pure: the file of an address, the links in a page
plan         database -> the addresses of the site, each with a key of its content
render       addresses -> files, by the application itself, in this process or in several
folder       the files and the manifest of the last build
build        all of it: renders changed addresses, removes old files
"""
